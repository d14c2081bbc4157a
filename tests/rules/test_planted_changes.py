"""Prod's own templates, changed for the worse one change at a time: each is caught by a rule that names the problem."""

import copy
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.definition.steps import GPU
from tunestack.definition.template import body_as_text
from tunestack.rules import violations
from tunestack.template.resources import Resources

Templates = dict[str, Any]
Change = Callable[[Templates], None]
FOREIGN = "arn:aws:iam::999999999999:root"


def resources(templates: Templates, kind: str, part: str = "") -> Iterator[dict[str, Any]]:
    """The properties of the resources of a type whose logical ids contain a text."""
    found = [
        item["Properties"]
        for template in templates.values()
        for name, item in template["Resources"].items()
        if item["Type"] == kind and part in name
    ]
    assert found, f"prod has no {kind} {part}"
    yield from found


def first(kind: str, part: str = "") -> Callable[[Templates], dict[str, Any]]:
    return lambda templates: next(resources(templates, kind, part))


def set_to(kind: str, path: str, value: Any, part: str = "") -> Change:
    """Set a property (`A.B`) of the first resource of a type."""

    def change(templates: Templates) -> None:
        *parents, last = path.split(".")
        place = first(kind, part)(templates)
        for parent in parents:
            place = place.setdefault(parent, {})
        place[last] = value

    return change


def without(kind: str, path: str, part: str = "") -> Change:
    def change(templates: Templates) -> None:
        *parents, last = path.split(".")
        place = first(kind, part)(templates)
        for parent in parents:
            place = place[parent]
        del place[last]

    return change


def added(name: str, kind: str, **properties: Any) -> Change:
    """Another resource in the pipeline's stack."""

    def change(templates: Templates) -> None:
        stack = next(template for name, template in templates.items() if name.endswith("-pipeline"))
        stack["Resources"][name] = {"Type": kind, "Properties": properties}

    return change


def granted(role: str, action: Any, resource: Any = "arn:aws:x:::y", **more: Any) -> Change:
    """Another statement in a role's policy."""

    def change(templates: Templates) -> None:
        for policy in resources(templates, "AWS::IAM::Policy", role):
            statement = {"Effect": "Allow", "Action": action, "Resource": resource, **more}
            policy["PolicyDocument"]["Statement"].append(statement)
            return

    return change


def trusted(role: str, change_statement: Callable[[dict[str, Any]], Any]) -> Change:
    def change(templates: Templates) -> None:
        change_statement(first("AWS::IAM::Role", role)(templates)["AssumeRolePolicyDocument"]["Statement"][0])

    return change


def statement_of(kind: str, member: str, **statement: Any) -> Change:
    """Another statement in a resource's policy."""

    def change(templates: Templates) -> None:
        policy = first(kind)(templates).setdefault(member, {"Statement": []})
        policy["Statement"].append({"Effect": "Allow", **statement})

    return change


def in_definition(pattern: str, replacement: str) -> Change:
    """A change of the definition's text; it holds CloudFormation's functions as `${…}` then."""

    def change(templates: Templates) -> None:
        definition = first("AWS::SageMaker::Pipeline")(templates)["PipelineDefinition"]
        text = body_as_text(definition["PipelineDefinitionBody"])
        changed, count = re.subn(pattern, replacement, text, count=1)
        assert count, f"nothing in the definition matches {pattern}"
        json.loads(changed)
        definition["PipelineDefinitionBody"] = changed

    return change


def in_step(name: str, change_arguments: Callable[[dict[str, Any]], Any]) -> Change:
    """A change of one step's arguments, wherever it stands."""

    def change(templates: Templates) -> None:
        holder = first("AWS::SageMaker::Pipeline")(templates)["PipelineDefinition"]
        definition = json.loads(body_as_text(holder["PipelineDefinitionBody"]))
        gate = next(step for step in definition["Steps"] if step["Type"] == "Condition")
        steps = [*definition["Steps"], *gate["Arguments"]["IfSteps"]]
        change_arguments(next(step for step in steps if step["Name"] == name)["Arguments"])
        holder["PipelineDefinitionBody"] = json.dumps(definition)

    return change


def ungated(templates: Templates) -> None:
    holder = first("AWS::SageMaker::Pipeline")(templates)["PipelineDefinition"]
    definition = json.loads(body_as_text(holder["PipelineDefinitionBody"]))
    gate = next(step for step in definition["Steps"] if step["Type"] == "Condition")
    definition["Steps"].remove(gate)
    definition["Steps"] += gate["Arguments"]["IfSteps"]
    holder["PipelineDefinitionBody"] = json.dumps(definition)


def bound_but_one(templates: Templates) -> None:
    for index, role in enumerate(resources(templates, "AWS::IAM::Role")):
        if index:
            role["PermissionsBoundary"] = "arn:aws:iam::111111111111:policy/team"


def off(member: str) -> Callable[[dict[str, Any]], Any]:
    return lambda arguments: arguments.update({member: False})


def network_off(member: str) -> Callable[[dict[str, Any]], Any]:
    return lambda arguments: arguments["NetworkConfig"].update({member: False})


JOBS = ("PrepareData", "EvaluateModels", "PackageModel")
ISOLATION, ENCRYPTION = "EnableNetworkIsolation", "EnableInterContainerTrafficEncryption"
# The change → what it does, and what is said of it.
CHANGES: dict[str, tuple[Change, str]] = {
    # roles
    "role allowed everything": (granted("TrainRole", "*", "*"), "allows '*'"),
    "role allowed a service": (granted("TrainRole", "s3:*"), "allows 's3:*'"),
    "role allowed another service": (granted("PipelineRole", "sagemaker:*"), "allows 'sagemaker:*'"),
    "role allowed all but some": (granted("TrainRole", None, NotAction="iam:*"), "allows by exclusion"),
    "role allowed all resources but some": (granted("TrainRole", "s3:GetObject", None, NotResource="arn:a"), "by exclusion"),
    "reads every bucket": (granted("EvaluateRole", "s3:GetObject", "*"), "s3:GetObject on everything"),
    "lists every bucket": (granted("EvaluateRole", "s3:ListBucket", "*"), "s3:ListBucket on everything"),
    "writes every bucket": (granted("TrainRole", "s3:PutObject", "arn:aws:s3:::*"), "writing anywhere in a bucket"),
    "writes a whole bucket": (granted("TrainRole", "s3:PutObject", "arn:aws:s3:::data/*"), "writing anywhere in a bucket"),
    "deletes a whole bucket": (granted("TrainRole", "s3:DeleteObject", {"Fn::Join": ["", [{"Ref": "B"}, "/*"]]}), "writing anywhere"),
    "decrypts with every key": (granted("TrainRole", "kms:Decrypt", "*"), "kms:Decrypt on everything"),
    "reads every secret": (granted("TrainRole", "secretsmanager:GetSecretValue", "*"), "GetSecretValue on everything"),
    "invokes every function": (granted("PipelineRole", "lambda:InvokeFunction", "*"), "InvokeFunction on everything"),
    "starts every build": (granted("BuildStarterRole", "codebuild:StartBuild", "*"), "StartBuild on everything"),
    "pulls every image": (granted("TrainRole", "ecr:BatchGetImage", "*"), "BatchGetImage on everything"),
    "pushes every image": (granted("BuildProjectRole", "ecr:PutImage", "*"), "PutImage on everything"),
    "creates any training": (granted("PipelineRole", "sagemaker:CreateTrainingJob", "*"), "CreateTrainingJob on everything"),
    "writes every log": (granted("TrainRole", "logs:PutLogEvents", "*"), "PutLogEvents on everything"),
    "passes roles to any service": (granted("PipelineRole", "iam:PassRole", "arn:aws:iam::1:role/a"), "without iam:PassedToService"),
    "passes any role": (granted("PipelineRole", "iam:PassRole", "arn:aws:iam::1:role/*", Condition={"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}), "roles that aren't named"),
    "passes by a wildcard": (granted("PipelineRole", "iam:Pass*", "*"), "iam:PassRole without"),
    "attaches policies": (granted("TrainRole", "iam:AttachRolePolicy"), "iam:AttachRolePolicy: a role could change"),
    "creates users": (granted("TrainRole", "iam:CreateAccessKey"), "iam:CreateAccessKey"),
    "changes trust": (granted("TrainRole", "iam:UpdateAssumeRolePolicy"), "iam:UpdateAssumeRolePolicy"),
    "changes the key's policy": (granted("TrainRole", "kms:PutKeyPolicy"), "kms:PutKeyPolicy"),
    "deletes the key": (granted("TrainRole", "kms:ScheduleKeyDeletion"), "kms:ScheduleKeyDeletion"),
    "opens buckets": (granted("TrainRole", "s3:PutBucketPolicy"), "s3:PutBucketPolicy"),
    "opens the repository": (granted("BuildProjectRole", "ecr:SetRepositoryPolicy"), "ecr:SetRepositoryPolicy"),
    "deletes logs": (granted("TrainRole", "logs:DeleteLogGroup"), "logs:DeleteLogGroup"),
    "opens the registry": (granted("PipelineRole", "sagemaker:PutModelPackageGroupPolicy"), "PutModelPackageGroupPolicy"),
    "pipeline approves its versions": (granted("PipelineRole", "sagemaker:UpdateModelPackage"), "approve its own model"),
    "approver runs the pipeline": (granted("Approver", "sagemaker:StartPipelineExecution"), "approve its own model"),
    "approver writes evaluations": (granted("Approver", "s3:PutObject", "arn:aws:s3:::b/evaluations/*"), "approve its own model"),
    "a service approves": (trusted("Approver", lambda s: s.update(Principal={"Service": "lambda.amazonaws.com"})), "approve its own model"),
    "trainer approves versions": (granted("Trainer", "sagemaker:UpdateModelPackage"), "approve its own model"),
    "administrator": (set_to("AWS::IAM::Role", "ManagedPolicyArns", ["arn:aws:iam::aws:policy/AdministratorAccess"]), "AdministratorAccess of AWS"),
    "full access": (set_to("AWS::IAM::Role", "ManagedPolicyArns", [{"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, ":iam::aws:policy/AmazonS3FullAccess"]]}]), "AmazonS3FullAccess of AWS"),
    "a role's own policy": (set_to("AWS::IAM::Role", "Policies", [{"PolicyDocument": {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}}]), "allows '*'"),
    "a user": (added("User", "AWS::IAM::User", ManagedPolicyArns=["arn:aws:iam::aws:policy/PowerUserAccess"]), "PowerUserAccess"),
    "a managed policy": (added("Policy", "AWS::IAM::ManagedPolicy", PolicyDocument={"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}), "allows '*'"),
    "a role without the boundary": (bound_but_one, "PermissionsBoundary: missing"),
    # trust
    "SageMaker for any account": (trusted("TrainRole", lambda s: s.pop("Condition")), "sagemaker.amazonaws.com could be made"),
    "pipelines for any account": (trusted("PipelineRole", lambda s: s.pop("Condition")), "could be made to use it"),
    "CodeBuild for any account": (trusted("BuildProjectRole", lambda s: s.pop("Condition")), "codebuild.amazonaws.com could be"),
    "flow logs for any account": (trusted("FlowLogRole", lambda s: s.pop("Condition")), "vpc-flow-logs.amazonaws.com could be"),
    "anybody": (trusted("TrainRole", lambda s: s.update(Principal="*")), "anybody may take it on"),
    "anybody's principals": (trusted("Trainer", lambda s: s.update(Principal={"AWS": "*"})), "anybody may take it on"),
    "another account": (trusted("Trainer", lambda s: s.update(Principal={"AWS": FOREIGN})), "may take it on without a condition"),
    "any identity of a provider": (trusted("Trainer", lambda s: s.update(Principal={"Federated": "arn:aws:iam::1:oidc-provider/x"})), "the identity provider knows"),
    "another service": (trusted("TrainRole", lambda s: s.update(Principal={"Service": ["sagemaker.amazonaws.com", "glue.amazonaws.com"]}, Condition={})), "glue.amazonaws.com could be made"),
    # resource policies
    "public bucket": (statement_of("AWS::S3::BucketPolicy", "PolicyDocument", Principal="*", Action="s3:GetObject", Resource="*"), "lets everybody in"),
    "public bucket, said otherwise": (statement_of("AWS::S3::BucketPolicy", "PolicyDocument", Principal={"AWS": "*"}, Action="s3:GetObject", Resource="*"), "lets everybody in"),
    "public key": (statement_of("AWS::KMS::Key", "KeyPolicy", Principal={"AWS": "*"}, Action="kms:Decrypt", Resource="*"), "lets everybody in"),
    "another account's key": (statement_of("AWS::KMS::Key", "KeyPolicy", Principal={"AWS": FOREIGN}, Action="kms:*", Resource="*"), "may do everything with the key"),
    "a service's key for anybody": (statement_of("AWS::KMS::Key", "KeyPolicy", Principal={"Service": "logs.amazonaws.com"}, Action="kms:Decrypt", Resource="*"), "use the key for anybody"),
    "public repository": (statement_of("AWS::ECR::Repository", "RepositoryPolicyText", Principal="*", Action="ecr:BatchGetImage"), "lets everybody in"),
    "public registry": (statement_of("AWS::SageMaker::ModelPackageGroup", "ModelPackageGroupPolicy", Principal="*", Action="sagemaker:DescribeModelPackage"), "lets everybody in"),
    "everybody but one": (statement_of("AWS::S3::BucketPolicy", "PolicyDocument", NotPrincipal={"AWS": FOREIGN}, Action="s3:GetObject", Resource="*"), "lets everybody in"),
    "public function": (added("Permission", "AWS::Lambda::Permission", Principal="*", Action="lambda:InvokeFunction"), "may call the function"),
    "function for any rule": (without("AWS::Lambda::Permission", "SourceArn"), "may call the function for anybody"),
    "function at a public URL": (added("Url", "AWS::Lambda::Url", AuthType="NONE"), "must be AWS_IAM"),
    # storage
    **{f"bucket without {member}": (set_to("AWS::S3::Bucket", f"PublicAccessBlockConfiguration.{member}", False), f"{member}: must be true")
       for member in ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")},
    "bucket not blocked": (without("AWS::S3::Bucket", "PublicAccessBlockConfiguration"), "must be true"),
    "bucket read by all": (set_to("AWS::S3::Bucket", "AccessControl", "PublicRead"), "must not be public"),
    "bucket not encrypted": (without("AWS::S3::Bucket", "BucketEncryption", "RawData"), "BucketEncryption: missing"),
    "bucket with S3's key": (set_to("AWS::S3::Bucket", "BucketEncryption.ServerSideEncryptionConfiguration", [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}], "RawData"), "aws:kms with a key of yours"),
    "bucket with AWS's key": (set_to("AWS::S3::Bucket", "BucketEncryption.ServerSideEncryptionConfiguration", [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}], "Results"), "aws:kms with a key of yours"),
    "bucket without versions": (without("AWS::S3::Bucket", "VersioningConfiguration", "Artifacts"), "what is overwritten is lost"),
    "bucket without access log": (without("AWS::S3::Bucket", "LoggingConfiguration", "RawData"), "who read it"),
    "bucket without TLS": (set_to("AWS::S3::BucketPolicy", "PolicyDocument", {"Statement": []}), "without aws:SecureTransport"),
    "bucket with TLS for reads": (set_to("AWS::S3::BucketPolicy", "PolicyDocument", {"Statement": [{"Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}]}), "without aws:SecureTransport"),
    "key that never turns over": (set_to("AWS::KMS::Key", "EnableKeyRotation", False), "EnableKeyRotation: must be true"),
    "key that is gone at once": (set_to("AWS::KMS::Key", "PendingWindowInDays", 1), "must be at least 7"),
    # images and builds
    "mutable tags": (set_to("AWS::ECR::Repository", "ImageTagMutability", "MUTABLE"), "must be IMMUTABLE"),
    "tags by default": (without("AWS::ECR::Repository", "ImageTagMutability"), "must be IMMUTABLE"),
    "images not scanned": (set_to("AWS::ECR::Repository", "ImageScanningConfiguration.ScanOnPush", False), "ScanOnPush: must be true"),
    "images with AWS's key": (without("AWS::ECR::Repository", "EncryptionConfiguration"), "must be KMS with a key of yours"),
    "build without key": (without("AWS::CodeBuild::Project", "EncryptionKey"), "EncryptionKey: missing"),
    "build without limit": (without("AWS::CodeBuild::Project", "TimeoutInMinutes"), "TimeoutInMinutes: missing"),
    "build without log": (without("AWS::CodeBuild::Project", "LogsConfig"), "CloudWatchLogs: must be ENABLED"),
    "public build": (set_to("AWS::CodeBuild::Project", "Visibility", "PUBLIC_READ"), "Visibility: must be private"),
    "secret in a build": (set_to("AWS::CodeBuild::Project", "Environment.EnvironmentVariables", [{"Name": "HF_TOKEN", "Value": "x"}]), "HF_TOKEN looks like a secret"),
    "build over http": (set_to("AWS::CodeBuild::Project", "Source.BuildSpec", "curl http://x/y -o z"), "over plain HTTP"),
    "build trusts a host": (set_to("AWS::CodeBuild::Project", "Source.BuildSpec", "pip install --trusted-host x y"), "without its certificate"),
    "build runs a download": (set_to("AWS::CodeBuild::Project", "Source.BuildSpec", "curl -s https://x/y | bash"), "just downloaded"),
    "build skips certificates": (set_to("AWS::CodeBuild::Project", "Source.BuildSpec", "curl https://x/y -k -o z"), "doesn't look at a certificate"),
    "credential in a build": (set_to("AWS::CodeBuild::Project", "Description", "AKIA" + "B" * 16), "looks like a credential"),
    "secret of a function": (set_to("AWS::Lambda::Function", "Environment.Variables", {"DB_PASSWORD": "x"}), "looks like a secret in clear"),
    "credential of a function": (set_to("AWS::Lambda::Function", "Environment.Variables", {"A": "ghp_" + "a" * 36}), "looks like a credential"),
    # logs and network
    "log kept for ever": (without("AWS::Logs::LogGroup", "RetentionInDays"), "RetentionInDays: missing"),
    "log in clear": (without("AWS::Logs::LogGroup", "KmsKeyId"), "KmsKeyId: missing"),
    "internet gateway": (added("Gateway", "AWS::EC2::InternetGateway"), "way to the internet"),
    "NAT gateway": (added("Nat", "AWS::EC2::NatGateway", SubnetId="s"), "way to the internet"),
    "route out": (added("Route", "AWS::EC2::Route", DestinationCidrBlock="0.0.0.0/0", RouteTableId="r"), "way to the internet"),
    "IPv6 route out": (added("Route", "AWS::EC2::Route", DestinationIpv6CidrBlock="::/0", RouteTableId="r"), "way to the internet"),
    "peering": (added("Peering", "AWS::EC2::VPCPeeringConnection", VpcId="v"), "way to another network"),
    "public addresses": (set_to("AWS::EC2::Subnet", "MapPublicIpOnLaunch", True), "address on the internet"),
    "open ingress": (set_to("AWS::EC2::SecurityGroup", "SecurityGroupIngress", [{"CidrIp": "0.0.0.0/0", "IpProtocol": "tcp", "FromPort": 22, "ToPort": 22}]), "lets everybody in"),
    "open IPv6 ingress": (set_to("AWS::EC2::SecurityGroupIngress", "CidrIpv6", "::/0"), "lets everybody in"),
    "open egress": (set_to("AWS::EC2::SecurityGroup", "SecurityGroupEgress", [{"CidrIp": "0.0.0.0/0", "IpProtocol": "-1"}]), "lets everything out"),
    "no flow log": (set_to("AWS::EC2::FlowLog", "ResourceId", "other"), "what went out"),
    "endpoints by other names": (set_to("AWS::EC2::VPCEndpoint", "PrivateDnsEnabled", False, "Sts"), "PrivateDnsEnabled: must be true"),
    "an endpoint without a policy": (without("AWS::EC2::VPCEndpoint", "PolicyDocument", "Kms"), "PolicyDocument"),
    "an endpoint to everybody": (set_to("AWS::EC2::VPCEndpoint", "PolicyDocument", {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]}, "Sts"), "reaches every account's resources"),
    # jobs
    **{f"{name} not isolated": (in_step(name, network_off(ISOLATION)), f"{name}.NetworkConfig.{ISOLATION}: network_isolation") for name in JOBS},
    **{f"{name} in clear": (in_step(name, network_off(ENCRYPTION)), f"{name}.NetworkConfig.{ENCRYPTION}") for name in JOBS},
    **{f"{name} outside the VPC": (in_step(name, lambda a: a["NetworkConfig"].pop("VpcConfig")), f"{name}.NetworkConfig.VpcConfig: vpc") for name in JOBS},
    **{f"{name} without output key": (in_step(name, lambda a: a["ProcessingOutputConfig"].pop("KmsKeyId")), f"{name}.ProcessingOutputConfig.KmsKeyId") for name in JOBS},
    **{f"{name} without time limit": (in_step(name, lambda a: a.pop("StoppingCondition")), f"{name}.StoppingCondition") for name in JOBS},
    **{f"{name} without tags": (in_step(name, lambda a: a.pop("Tags")), f"{name}.Tags: tags") for name in JOBS},
    **{f"{name} with the latest image": (in_step(name, lambda a: a["AppSpecification"].update(ImageUri="111111111111.dkr.ecr.eu-west-1.amazonaws.com/a:latest")), "got 'latest'") for name in JOBS},
    "training not isolated": (in_step("FineTune", off(ISOLATION)), "FineTune.EnableNetworkIsolation"),
    "training's isolation left out": (in_step("FineTune", lambda a: a.pop(ISOLATION)), "FineTune.EnableNetworkIsolation"),
    "training in clear": (in_step("FineTune", off(ENCRYPTION)), "FineTune.EnableInterContainerTrafficEncryption"),
    "training outside the VPC": (in_step("FineTune", lambda a: a.pop("VpcConfig")), "FineTune.VpcConfig: vpc"),
    "training without output key": (in_step("FineTune", lambda a: a["OutputDataConfig"].pop("KmsKeyId")), "FineTune.OutputDataConfig.KmsKeyId"),
    "training without volume key": (in_step("FineTune", lambda a: a["ResourceConfig"].update(InstanceType="ml.m5.xlarge")), "would not be encrypted with your key"),
    "training without a limit": (in_step("FineTune", lambda a: a.pop("StoppingCondition")), "FineTune.StoppingCondition"),
    "training without tags": (in_step("FineTune", lambda a: a.pop("Tags")), "FineTune.Tags"),
    "training with a public image": (in_step("FineTune", lambda a: a["AlgorithmSpecification"].update(TrainingImage="docker.io/x/y:1")), "private ECR registry"),
    "training with no tag": (in_step("FineTune", lambda a: a["AlgorithmSpecification"].update(TrainingImage="111111111111.dkr.ecr.eu-west-1.amazonaws.com/a")), "got 'no tag'"),
    "a shell in training": (in_step("FineTune", lambda a: a.update(RemoteDebugConfig={"EnableRemoteDebug": True})), "opens a shell"),
    "a secret in training": (in_step("FineTune", lambda a: a["HyperParameters"].update(hf_token="x")), "looks like a secret"),
    "a credential in training": (in_step("FineTune", lambda a: a.update(Environment={"X": "hf_" + "a" * 34})), "looks like a credential"),
    "remote code in training": (in_step("FineTune", lambda a: a["HyperParameters"].update({"model.trust_remote_code": "true"})), "came with the model"),
    "the hub in training": (in_step("FineTune", lambda a: a.update(Environment={"HF_HUB_OFFLINE": "0"})), "must stay on"),
    "spot without checkpoints": (in_step("FineTune", lambda a: (a.pop("CheckpointConfig"), a.update(EnableManagedSpotTraining=True), a["StoppingCondition"].update(MaxWaitTimeInSeconds=90000))), "start from nothing"),
    "remote code in preparation": (in_definition('"model.trust_remote_code",\\s*"false"', '"model.trust_remote_code", "true"'), "came with the model"),
    "approved at once": (in_step("RegisterModel", lambda a: a.update(ModelApprovalStatus="Approved")), "nobody would have looked"),
    "version with the latest image": (in_step("RegisterModel", lambda a: a["InferenceSpecification"]["Containers"][0].update(Image="111111111111.dkr.ecr.eu-west-1.amazonaws.com/a:latest")), "got 'latest'"),
    "registered without a gate": (ungated, "registers whatever was trained"),
    "model not isolated": (in_step("CreateModel", off(ISOLATION)), "CreateModel.EnableNetworkIsolation"),
    "model outside the VPC": (in_step("CreateModel", lambda a: a.pop("VpcConfig")), "CreateModel.VpcConfig"),
    "model without tags": (in_step("CreateModel", lambda a: a.pop("Tags")), "CreateModel.Tags"),
    "answers without key": (in_step("BatchTransform", lambda a: a["TransformOutput"].pop("KmsKeyId")), "BatchTransform.TransformOutput.KmsKeyId"),
    "transform's volume without key": (in_step("BatchTransform", lambda a: a["TransformResources"].pop("VolumeKmsKeyId")), "BatchTransform.TransformResources.VolumeKmsKeyId"),
    "transform with the oldest driver": (in_step("BatchTransform", lambda a: (a["TransformResources"].pop("VolumeKmsKeyId"), a["TransformResources"].update(InstanceType=GPU))), "oldest NVIDIA driver"),
    "transform without tags": (in_step("BatchTransform", lambda a: a.pop("Tags")), "BatchTransform.Tags"),
    "a secret in transform": (in_step("BatchTransform", lambda a: a["Environment"].update(API_KEY="x")), "looks like a secret"),
}  # fmt: skip


def said(templates: Templates) -> list[str]:
    return [str(violation) for violation in violations(Resources.of(templates))]


def test_prod_as_it_is_breaks_no_rule(templates: Templates) -> None:
    assert said(templates) == []


def test_there_are_enough_of_them() -> None:
    assert len(CHANGES) >= 120


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_for_the_worse_is_named(name: str, templates: Templates) -> None:
    change, message = CHANGES[name]
    changed = copy.deepcopy(templates)
    change(changed)
    found = said(changed)
    assert any(message in line for line in found), found or "nobody noticed"
