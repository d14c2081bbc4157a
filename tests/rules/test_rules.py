"""Every rule has a compliant and a non-compliant example, and says what is wrong with the latter."""

from typing import Any

import pytest

from tunestack.definition.found_by_file import name_of
from tunestack.rules import RULES, violations
from tunestack.template.assembly import Stack
from tunestack.template.resources import Resources

ByName = dict[str, Any]
ACCOUNT = {"Ref": "AWS::AccountId"}
ROOT = {"Fn::Join": ["", ["arn:aws:iam::", ACCOUNT, ":root"]]}
KEY = {"Fn::GetAtt": ["Key", "Arn"]}
BLOCKED = {"BlockPublicAcls": True, "BlockPublicPolicy": True, "IgnorePublicAcls": True, "RestrictPublicBuckets": True}
ENCRYPTED = {
    "ServerSideEncryptionConfiguration": [
        {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY}}
    ]
}
DATA = {
    "PublicAccessBlockConfiguration": BLOCKED,
    "BucketEncryption": ENCRYPTED,
    "VersioningConfiguration": {"Status": "Enabled"},
    "LoggingConfiguration": {"DestinationBucketName": {"Ref": "Logs"}},
    "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
}
BUILD = {
    "EncryptionKey": KEY, "TimeoutInMinutes": 30, "LogsConfig": {"CloudWatchLogs": {"Status": "ENABLED"}},
    "Source": {"BuildSpec": "pip install --require-hashes -r requirements.lock"},
}  # fmt: skip


def one(kind: str, **properties: Any) -> ByName:
    return {"It": {"Type": kind, "Properties": properties}}


def policy(**statement: Any) -> ByName:
    return one("AWS::IAM::Policy", PolicyDocument={"Statement": [{"Effect": "Allow", **statement}]})


def role(**statement: Any) -> ByName:
    return one("AWS::IAM::Role", AssumeRolePolicyDocument={"Statement": [{"Effect": "Allow", **statement}]})


def bucket_with(condition: Any) -> ByName:
    denied = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*", "Condition": condition}
    policy = {"Bucket": {"Ref": "It"}, "PolicyDocument": {"Statement": [denied]}}
    return {**one("AWS::S3::Bucket"), "Policy": {"Type": "AWS::S3::BucketPolicy", "Properties": policy}}


def endpoint(**statement: Any) -> ByName:
    allowed = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*", **statement}
    return one("AWS::EC2::VPCEndpoint", PolicyDocument={"Statement": [allowed]})


def queue_with(condition: Any) -> ByName:
    denied = {"Effect": "Deny", "Principal": "*", "Action": "sqs:*", "Resource": "*", "Condition": condition}
    policy = {"Queues": [{"Ref": "It"}], "PolicyDocument": {"Statement": [denied]}}
    return {**one("AWS::SQS::Queue"), "Policy": {"Type": "AWS::SQS::QueuePolicy", "Properties": policy}}


def pipeline(**arguments: Any) -> ByName:
    step = f'{{"Name": "Stop", "Type": "Fail", "Arguments": {{"ErrorMessage": "{arguments.get("message", "no")}"}}}}'
    body = f'{{"Version": "2020-12-01", "Steps": [{step}]}}'
    return one("AWS::SageMaker::Pipeline", PipelineDefinition={"PipelineDefinitionBody": body})


OWN = {"AWS": ROOT}
TLS = {"Bool": {"aws:SecureTransport": "false"}}
PASSED = {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
FROM_HERE = {"StringEquals": {"aws:SourceAccount": ACCOUNT}}
BOUND = one("AWS::IAM::Role", PermissionsBoundary="arn:b")["It"]
# The rule → what passes it, what doesn't, and what is said of that.
FOREIGN = {"AWS": "arn:aws:iam::444444444444:root"}
BY_A_ROLE = {"ArnEquals": {"aws:PrincipalArn": "arn:aws:iam::444444444444:role/reader"}}


def bucket_policy(**statement: Any) -> ByName:
    allowed = {"Effect": "Allow", "Principal": FOREIGN, **statement}
    return one("AWS::S3::BucketPolicy", Bucket="b", PolicyDocument={"Statement": [allowed]})


EXAMPLES: dict[str, tuple[ByName, ByName, str]] = {
    "foreign_access": (
        bucket_policy(Action="s3:GetObject", Resource="arn:aws:s3:::b/packages/*", Condition=BY_A_ROLE),
        bucket_policy(Action="s3:PutObject", Resource="arn:aws:s3:::b/packages/*", Condition=BY_A_ROLE),
        "It.PolicyDocument.Statement[0].Action: lets another account do s3:PutObject, which isn't one of the known "
        "reads",
    ),
    "foreign_reference": (
        one("AWS::Logs::LogGroup", KmsKeyId="arn:aws:kms:us-east-1:111111111111:key/a"),
        one("AWS::Logs::LogGroup", KmsKeyId="arn:aws:kms:us-east-1:999999999999:key/a"),
        "It.KmsKeyId: names account 999999999999, which isn't one of the known accounts",
    ),
    "narrowed": (
        policy(Action="kms:CreateGrant", Resource="arn:k", Condition={"Bool": {"kms:GrantIsForAWSResource": "true"}}),
        policy(Action="kms:CreateGrant", Resource="arn:k"),
        "It.PolicyDocument.Statement[0].Condition: allows kms:CreateGrant, which gives the key to anybody: ask for "
        "kms:GrantIsForAWSResource",
    ),
    "allow_anywhere": (
        policy(Action=["ecr:GetAuthorizationToken", "logs:DescribeLogGroups"], Resource="*"),
        policy(Action="s3:GetObject", Resource="*"),
        "It.PolicyDocument.Statement[0].Resource: allows s3:GetObject on everything: name the resources",
    ),
    "allow_everything": (
        policy(Action="s3:GetObject", Resource="arn:aws:s3:::b/p/*"),
        policy(Action="s3:*", Resource="arn:aws:s3:::b/p/*"),
        "It.PolicyDocument.Statement[0].Action: allows 's3:*': name the actions",
    ),
    "approve_models": (
        policy(Action="sagemaker:DescribeModelPackage", Resource="arn:m"),
        policy(Action="sagemaker:UpdateModelPackage", Resource="arn:m"),
        "It.PolicyDocument.Statement[0].Action: allows sagemaker:UpdateModelPackage: this role could approve its own "
        "model",
    ),
    "boundary": (
        {"Other": BOUND, "It": BOUND},
        {"Other": BOUND, **one("AWS::IAM::Role")},
        "It.PermissionsBoundary: missing: the other roles have one",
    ),
    "bucket": (
        one("AWS::S3::Bucket", **DATA),
        one("AWS::S3::Bucket", **DATA | {"VersioningConfiguration": {"Status": "Suspended"}}),
        "It.VersioningConfiguration: missing: what is overwritten is lost",
    ),
    "bucket_tls": (
        bucket_with(TLS),
        bucket_with({}),
        "It.BucketPolicy: no statement denies s3:* without aws:SecureTransport, of the bucket and its objects",
    ),
    "bucket_wildcard": (
        policy(Action="s3:PutObject", Resource={"Fn::Join": ["", [{"Fn::GetAtt": ["B", "Arn"]}, "/training/*"]]}),
        policy(Action="s3:PutObject", Resource={"Fn::Join": ["", [{"Fn::GetAtt": ["B", "Arn"]}, "/*"]]}),
        "It.PolicyDocument.Statement[0].Resource[0]: allows writing anywhere in a bucket: name the prefix",
    ),
    "build_project": (
        one("AWS::CodeBuild::Project", **BUILD),
        one("AWS::CodeBuild::Project", **BUILD | {"Source": {"BuildSpec": "pip install -i http://pypi.x a"}}),
        "It.Source.BuildSpec: takes something over plain HTTP",
    ),
    "confused_deputy": (
        role(Principal={"Service": "sagemaker.amazonaws.com"}, Condition=FROM_HERE),
        role(Principal={"Service": "sagemaker.amazonaws.com"}),
        "It.AssumeRolePolicyDocument.Statement[0].Condition: sagemaker.amazonaws.com could be made to use it by another "
        "account: ask for aws:SourceAccount",
    ),
    "credentials": (
        one("AWS::Lambda::Function", Environment={"Variables": {"A": "b"}}),
        one("AWS::Lambda::Function", Environment={"Variables": {"A": "AKIA" + "A" * 16}}),
        "It.Environment.Variables.A: holds what looks like a credential (AKIA…)",
    ),
    "function": (
        one("AWS::Lambda::Function", Timeout=30, Environment={"Variables": {"KEY_ID": "b"}}),
        one("AWS::Lambda::Function", Timeout=30, Environment={"Variables": {"HF_TOKEN": "b"}}),
        "It.Environment.Variables.HF_TOKEN: looks like a secret in clear",
    ),
    "internet": (
        one("AWS::EC2::SecurityGroupEgress", CidrIp="0.0.0.0/0", FromPort=443, ToPort=443, IpProtocol="tcp"),
        one("AWS::EC2::SecurityGroupEgress", CidrIp="0.0.0.0/0", IpProtocol="-1"),
        "It.CidrIp: lets everything out: TLS (443) is enough",
    ),
    "key_policy": (
        one("AWS::KMS::Key", EnableKeyRotation=True, KeyPolicy={"Statement": [{"Effect": "Allow", "Principal": OWN, "Action": "kms:*"}]}),
        one("AWS::KMS::Key", EnableKeyRotation=True, KeyPolicy={"Statement": [{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::999999999999:root"}, "Action": "kms:*"}]}),
        "It.KeyPolicy.Statement[0].Principal: arn:aws:iam::999999999999:root may do everything with the key",
    ),
    "log_group": (
        one("AWS::Logs::LogGroup", RetentionInDays=14, KmsKeyId=KEY),
        one("AWS::Logs::LogGroup", KmsKeyId=KEY),
        "It.RetentionInDays: missing",
    ),
    "endpoint_policy": (
        endpoint(Condition={"StringEquals": {"aws:ResourceAccount": ACCOUNT}}),
        endpoint(),
        "It.PolicyDocument.Statement[0].Condition: reaches every account's resources: ask for aws:ResourceAccount",
    ),
    "managed_policies": (
        one("AWS::IAM::Role", ManagedPolicyArns=["arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"]),
        one("AWS::IAM::Role", ManagedPolicyArns=["arn:aws:iam::aws:policy/AmazonSageMakerFullAccess"]),
        "It.ManagedPolicyArns[0]: AmazonSageMakerFullAccess of AWS grants more than is needed: name the actions",
    ),
    "network_logs": (
        {**one("AWS::EC2::VPC"), "Log": {"Type": "AWS::EC2::FlowLog", "Properties": {"ResourceId": {"Ref": "It"}}}},
        one("AWS::EC2::VPC"),
        "It.FlowLog: missing: nobody would know what went out",
    ),
    "pass_role": (
        policy(Action="iam:PassRole", Resource="arn:aws:iam::1:role/a", Condition=PASSED),
        policy(Action="iam:PassRole", Resource="arn:aws:iam::1:role/a"),
        "It.PolicyDocument.Statement[0].Condition: iam:PassRole without iam:PassedToService: any service could get it",
    ),
    "pipeline_jobs": (
        pipeline(),
        pipeline(message="sk-" + "a" * 24),
        "It.PipelineDefinition.PipelineDefinitionBody.Stop.ErrorMessage: secrets: holds what looks like a credential "
        "(sk-a…); give a secret's ARN",
    ),
    "privilege_escalation": (
        policy(Action="iam:PassRole", Resource="arn:r", Condition=PASSED),
        policy(Action="iam:PutRolePolicy", Resource="arn:r"),
        "It.PolicyDocument.Statement[0].Action: allows iam:PutRolePolicy: a role could change what protects the others",
    ),
    "public_access": (
        one("AWS::Lambda::Permission", Action="lambda:InvokeFunction", Principal="events.amazonaws.com", SourceArn="arn:rule"),
        one("AWS::ECR::Repository", RepositoryPolicyText={"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "ecr:BatchGetImage"}]}),
        "It.RepositoryPolicyText.Statement[0].Principal: lets everybody in",
    ),
    "queue": (
        queue_with(TLS),
        queue_with({}),
        "It.QueuePolicy: no statement denies sqs:* without aws:SecureTransport",
    ),
    "repository": (
        one("AWS::ECR::Repository", ImageTagMutability="IMMUTABLE", ImageScanningConfiguration={"ScanOnPush": True}, EncryptionConfiguration={"EncryptionType": "KMS", "KmsKey": KEY}),
        one("AWS::ECR::Repository", ImageTagMutability="MUTABLE", ImageScanningConfiguration={"ScanOnPush": True}, EncryptionConfiguration={"EncryptionType": "KMS", "KmsKey": KEY}),
        "It.ImageTagMutability: must be IMMUTABLE: what was registered could be replaced under its tag",
    ),
    "trust": (
        role(Principal=OWN, Action="sts:AssumeRole", Condition={"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/x"}}),
        role(Principal={"AWS": "*"}, Action="sts:AssumeRole"),
        "It.AssumeRolePolicyDocument.Statement[0].Principal: anybody may take it on",
    ),
}  # fmt: skip
KNOWN = {"111111111111", "444444444444"}
NAMES = [name_of(rule) for rule in RULES]


def said(rule: str, resources: ByName) -> list[str]:
    stack = Stack(name="stack", template={"Resources": resources})
    found = violations(Resources.of_stacks([stack], known_accounts=KNOWN))
    return [f"{item.logical_id}.{item.where}: {item.message}" for item in found if item.rule == rule]


def test_every_rule_has_its_examples_and_says_in_a_sentence_what_it_wants() -> None:
    assert sorted(NAMES) == sorted(EXAMPLES)
    assert all(rule.__doc__ and rule.__doc__.endswith(".") for rule in RULES)


@pytest.mark.parametrize("name", NAMES)
def test_what_keeps_it_passes(name: str) -> None:
    assert said(name, EXAMPLES[name][0]) == []


@pytest.mark.parametrize("name", NAMES)
def test_what_breaks_it_is_named_with_the_reason(name: str) -> None:
    assert said(name, EXAMPLES[name][1]) == [EXAMPLES[name][2]]


@pytest.mark.parametrize(
    ("action", "approves"), [("sagemaker:Update*", True), ("sagemaker:*Package", True), ("sagemaker:Batch*", False)]
)
def test_a_wildcard_approves_where_it_holds_the_call(action: str, approves: bool) -> None:
    assert bool(said("approve_models", policy(Action=action, Resource="arn:m"))) is approves


@pytest.mark.parametrize("action", ["kms:Put*", "s3:PutBucket*", "lambda:Update*", "iam:At*", "logs:Delete*"])
def test_a_wildcard_that_holds_what_is_forbidden_is_named(action: str) -> None:
    assert said("privilege_escalation", policy(Action=action, Resource="arn:r"))


def test_a_condition_on_what_must_not_hold_narrows_nothing() -> None:
    asked = {"StringNotEquals": {"aws:SourceAccount": "123456789012"}}
    trusting = role(Principal={"Service": "sagemaker.amazonaws.com"}, Action="sts:AssumeRole", Condition=asked)
    assert len(said("confused_deputy", trusting)) == 1


def test_a_vpc_of_another_team_s_stack_is_not_for_the_kit_s_jobs(assembly: Any) -> None:
    templates = dict(assembly("dev").templates)
    team = {"Resources": {"Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}}}}
    name = next(name for name, template in templates.items() if "AWS::SageMaker::Pipeline" in str(template))
    before = [item for item in violations(Resources.of(templates)) if item.rule == "pipeline_jobs"]
    beside = [item for item in violations(Resources.of({**templates, "team": team})) if item.rule == "pipeline_jobs"]
    assert before == beside == []
    # In the pipeline's own template it is for it.
    inside = {**templates[name], "Resources": {**templates[name]["Resources"], **team["Resources"]}}
    found = [item for item in violations(Resources.of({**templates, name: inside})) if item.rule == "pipeline_jobs"]
    assert found and "VPC" in found[0].message
