"""What a rule names beyond its example: each part of it has a resource that breaks that part alone."""

from typing import Any

import pytest

from tests.rules.test_rules import (
    ACCOUNT,
    BUILD,
    BY_A_ROLE,
    DATA,
    KEY,
    OWN,
    bucket_policy,
    bucket_with,
    endpoint,
    one,
    policy,
    role,
    said,
)  # fmt: skip
from tunestack.rules import violations
from tunestack.template.resources import Resources

ByName = dict[str, Any]
STRANGER = {"AWS": "arn:aws:iam::999999999999:root"}
BY_A_STRANGER = {"ArnEquals": {"aws:PrincipalArn": "arn:aws:iam::999999999999:role/x"}}
BY_TAG = {"StringEquals": {"aws:PrincipalTag/kit-dev": "trainer"}}
OWNED = {"StringEquals": {"aws:ResourceAccount": ACCOUNT, "aws:PrincipalAccount": ACCOUNT}}
TLS = {"Bool": {"aws:SecureTransport": "false"}}
READ = {"Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/packages/*"}
DECIDES = {"StringEquals": {"sagemaker:ModelApprovalStatus": ["Approved", "Rejected"]}}
METADATA = "sagemaker:CustomerMetadataProperties/adapter_uri"
UNCHANGED = [METADATA, "sagemaker:CustomerMetadataPropertiesToRemove", "sagemaker:ModelLifeCycle:Stage"]
PINNED = {"S3Bucket": "b", "S3Key": "a" * 64 + ".zip"}


def function(**properties: Any) -> ByName:
    return one("AWS::Lambda::Function", **{"Timeout": 60, "Code": PINNED, **properties})


def variable(name: str, value: Any) -> ByName:
    return function(Environment={"Variables": {name: value}})


def interface(**properties: Any) -> ByName:
    (made,) = endpoint(Condition=OWNED).values()
    return one(
        "AWS::EC2::VPCEndpoint",
        **{**made["Properties"], "VpcEndpointType": "Interface", "SecurityGroupIds": ["sg"], **properties},
    )


def queue_of_a_bus(condition: Any) -> ByName:
    allowed = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage"}
    statement = {**allowed, "Resource": "arn:q", "Condition": condition}
    return one("AWS::SQS::QueuePolicy", PolicyDocument={"Statement": [statement]})


def approver(**conditions: Any) -> ByName:
    """A person's role that decides on the versions of a pipeline that says one thing of each."""
    allowed = {
        "Effect": "Allow",
        "Action": "sagemaker:UpdateModelPackage",
        "Resource": "arn:m",
        "Condition": conditions,
    }
    body = (
        '{"Version": "2020-12-01", "Steps": [{"Name": "R", "Type": "RegisterModel", "Arguments": '
        '{"CustomerMetadataProperties": {"adapter_uri": "s3://a"}}}]}'
    )
    registers = one("AWS::SageMaker::Pipeline", PipelineDefinition={"PipelineDefinitionBody": body})
    (person,) = role(Principal=OWN, Action="sts:AssumeRole", Condition=BY_TAG).values()
    person["Properties"]["Policies"] = [{"PolicyDocument": {"Statement": [allowed]}}]
    return {"It": person, "Pipeline": registers["It"]}


def rule_of_lifecycle(**rule: Any) -> ByName:
    return one("AWS::S3::Bucket", **DATA, LifecycleConfiguration={"Rules": [{"ExpirationInDays": 1, **rule}]})


def group(**properties: Any) -> ByName:
    return one("AWS::EC2::SecurityGroup", **properties)


def built(**environment: Any) -> ByName:
    return one("AWS::CodeBuild::Project", **BUILD, Environment=environment)


# Rule, what breaks it, and what is said; or what stays within it, and nothing.
CASES: list[tuple[str, ByName, str]] = [
    # whom it lets in
    ("foreign_access", bucket_policy(**READ), "lets in the whole of 444444444444"),
    ("foreign_access", bucket_policy(**READ, Principal=STRANGER, Condition=BY_A_ROLE), "lets in account 999999999999"),
    ("foreign_access", bucket_policy(**READ, Condition=BY_A_STRANGER), "lets in account 999999999999"),
    ("foreign_access", bucket_policy(**READ, Condition=BY_A_ROLE), ""),
    ("confused_deputy", queue_of_a_bus({}), "could be made to use it"),
    ("confused_deputy", queue_of_a_bus({"ArnLike": {"aws:SourceArn": "*"}}), "could be made to use it"),
    ("confused_deputy", queue_of_a_bus({"StringEquals": {"aws:SourceAccount": "999999999999"}}), "could be made"),
    ("confused_deputy", queue_of_a_bus({"StringEquals": {"aws:SourceAccount": ACCOUNT}}), ""),
    ("confused_deputy", queue_of_a_bus({"ArnEquals": {"aws:SourceArn": KEY}}), ""),
    ("trust", role(Principal=OWN, NotAction="sts:TagSession", Condition=BY_TAG), "by exclusion"),
    ("trust", role(Principal=OWN, Action=["sts:AssumeRole", "iam:PassRole"], Condition=BY_TAG), "allows iam:PassRole"),
    ("trust", role(Principal=OWN, Action=["sts:AssumeRole", "sts:TagSession"], Condition=BY_TAG), ""),
    ("public_access", one("AWS::Lambda::Permission", Action="lambda:*", Principal="s3.amazonaws.com", SourceArn="a"), "change the function"),
    ("allow_everything", bucket_policy(NotAction="s3:GetObject", Resource="arn:aws:s3:::b", Principal=OWN), "by exclusion"),
    ("allow_everything", bucket_policy(Action="s3:*", Resource="arn:aws:s3:::b", Principal=OWN), "allows 's3:*'"),
    # what passes the network
    ("endpoint_policy", interface(SecurityGroupIds=[]), "default group"),
    ("endpoint_policy", endpoint(Condition={"StringEquals": {"aws:ResourceAccount": "*"}}), "isn't one of the known"),
    ("endpoint_policy", endpoint(Condition={"StringEquals": {"aws:ResourceAccount": ["999999999999"]}}), "isn't one of"),
    ("endpoint_policy", endpoint(NotAction="s3:*", Condition=OWNED), "by exclusion"),
    ("endpoint_policy", one("AWS::EC2::VPCEndpoint", **endpoint(Condition={"StringEquals": {"aws:ResourceAccount": ACCOUNT}})["It"]["Properties"], VpcEndpointType="Interface", SecurityGroupIds=["s"]), "anybody's credentials"),
    ("endpoint_policy", interface(), ""),
    ("internet", group(), "everything may go out"),
    ("internet", group(SecurityGroupEgress=[]), "everything may go out"),
    ("internet", group(SecurityGroupEgress=[{"CidrIp": "10.0.0.0/16", "IpProtocol": "tcp"}]), ""),
    # what protects data
    ("bucket", one("AWS::S3::Bucket", **DATA | {"OwnershipControls": {"Rules": [{"ObjectOwnership": "ObjectWriter"}]}}), "BucketOwnerEnforced"),
    ("bucket", rule_of_lifecycle(), "expires whatever is in the bucket"),
    ("bucket", rule_of_lifecycle(Prefix="checkpoints/"), ""),
    ("bucket_tls", bucket_with({**TLS, "StringEquals": {"aws:PrincipalTag/x": "y"}}), "no statement denies"),
    ("bucket_wildcard", policy(Action="s3:ListBucket", Resource=KEY), "every name in the bucket"),
    ("narrowed", policy(Action="kms:Create*", Resource="arn:k"), "gives the key to anybody"),
    ("narrowed", policy(Action="cloudwatch:PutMetricData", Resource="*"), "writes any metric"),
    ("narrowed", policy(Action="kms:Decrypt", Resource="arn:aws:kms:us-east-1:444444444444:key/*"), "kms:ViaService"),
    ("narrowed", policy(Action="kms:Decrypt", Resource=KEY), ""),
    ("narrowed", policy(Action="s3:GetObject", Resource="arn:aws:s3:::their-models/a/*"), "anybody's bucket"),
    ("narrowed", policy(Action="s3:GetObject", Resource="arn:aws:s3:::b/*", Condition=OWNED), ""),
    ("narrowed", policy(Action="s3:GetObject", Resource={"Fn::Join": ["", [KEY, "/a/*"]]}), ""),
    # who decides
    ("approve_models", approver(**DECIDES, Null=dict.fromkeys(UNCHANGED, "true")), ""),
    ("approve_models", approver(**DECIDES, Null=dict.fromkeys(UNCHANGED[1:], "true")), METADATA),
    ("approve_models", approver(**DECIDES, Null=dict.fromkeys(UNCHANGED[:2], "true")), "sagemaker:ModelLifeCycle:Stage"),
    ("approve_models", approver(**DECIDES, Null={**dict.fromkeys(UNCHANGED, "true"), METADATA: "false"}), METADATA),
    ("approve_models", approver(Null=dict.fromkeys(UNCHANGED, "true")), "without a decision"),
    ("approve_models", policy(Action="sagemaker:CreateModelPackage", Resource="arn:m"), "of an approved version"),
    # what runs
    ("function", function(Code={"S3Bucket": "b", "S3Key": "latest.zip"}), "isn't pinned"),
    ("function", function(Code={"S3Bucket": "b", "S3Key": "latest.zip", "S3ObjectVersion": "1"}), ""),
    ("function", variable("NODE_OPTIONS", "--require /tmp/x.js"), "changes what runs"),
    ("function", variable("AWS_ENDPOINT_URL_S3", "https://s3.us-east-1.amazonaws.com"), "changes what runs"),
    ("function", variable("TELL", "https://collector.example/x"), "speaks to collector.example"),
    ("function", variable("QUEUE", "https://sqs.us-east-1.amazonaws.com/1/q"), ""),
    ("function", variable("SETTINGS", '{"group": "a", "notify": {"api_key": "x"}}'), "api_key in it looks like a secret"),
    ("function", variable("SETTINGS", {"Fn::Join": ["", ['{"arn": "', KEY, '", "db_password": "x"}']]}), "db_password in it"),
    ("function", variable("SETTINGS", '{"groups": ["a", "b"], "days": 3}'), ""),
    ("build_project", built(Image="docker.io/somebody/builder:1"), "must be CodeBuild's own"),
    ("build_project", built(Image="aws/codebuild/standard:7.0"), ""),
    ("build_project", built(EnvironmentVariables=[{"Name": "PIP_INDEX_URL", "Value": "https://x.example"}]), "changes what runs"),
    ("foreign_reference", one("AWS::Events::Rule", Targets=[{"Arn": "arn:aws:events:us-east-1:999999999999:event-bus/x"}]), "names account 999999999999"),
    ("foreign_reference", built(Image="999999999999.dkr.ecr.us-east-1.amazonaws.com/b:1"), "names account 999999999999"),
    ("foreign_reference", function(Layers=["arn:aws:lambda:us-east-1:999999999999:layer:x:1"]), "names account 999999999999"),
    ("foreign_reference", one("AWS::Events::Rule", Description="since 202611300000 and 999999999999 times"), ""),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "resources", "message"), CASES, ids=[f"{rule}: {text}" for rule, _, text in CASES])
def test_each_part_of_a_rule_is_named(rule: str, resources: ByName, message: str) -> None:
    found = said(rule, resources)
    assert any(message in line for line in found) if message else found == [], found


def test_without_an_assembly_nobody_is_a_stranger() -> None:
    named = one("AWS::Logs::LogGroup", KmsKeyId="arn:aws:kms:us-east-1:999999999999:key/a", RetentionInDays=1)
    assert list(violations(Resources.of({"stack": {"Resources": named}}))) == []
