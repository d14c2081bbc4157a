"""ModelConsumers: what another account needs to deploy a version comes whole from one call, and for nobody else."""

import json
from typing import Any

import pytest
from aws_cdk import App, Environment, Stack
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk.assertions import Template
from ministack.core.iam_evaluator import EvalContext, evaluate_resource_policy
from tunestack_cdk.model_consumers import ModelConsumers, grant_consumers
from tunestack_cdk.model_registry import ModelRegistry

OWNER, CONSUMER, STRANGER = "111111111111", "222222222222", "333333333333"
ORGANIZATION = "arn:aws:organizations::444444444444:organization/o-abcdefghij"
ARNS = {"Group": f"arn:aws:sagemaker:us-east-1:{OWNER}:model-package-group/models"}
VERSION = f"arn:aws:sagemaker:us-east-1:{OWNER}:model-package/models/3"
KINDS = {
    "bucket": ("AWS::S3::BucketPolicy", "PolicyDocument"),
    "key": ("AWS::KMS::Key", "KeyPolicy"),
    "repository": ("AWS::ECR::Repository", "RepositoryPolicyText"),
    "group": ("AWS::SageMaker::ModelPackageGroup", "ModelPackageGroupPolicy"),
}
VIA_S3 = {"kms:viaservice": "s3.us-east-1.amazonaws.com"}
# What making a model of a version takes, by whose policy must allow it: action, resource, what the request says of it.
NEEDS: list[tuple[str, str, str, dict[str, str]]] = [
    ("group", "sagemaker:DescribeModelPackageGroup", ARNS["Group"], {}),
    ("group", "sagemaker:ListModelPackages", ARNS["Group"], {}),
    ("group", "sagemaker:DescribeModelPackage", VERSION, {}),
    ("group", "sagemaker:CreateModel", VERSION, {}),
    ("bucket", "s3:GetObject", "arn:aws:s3:::Bucket/packages/abc/model.tar.gz", {}),
    ("bucket", "s3:ListBucket", "arn:aws:s3:::Bucket", {"s3:prefix": "packages/abc"}),
    ("key", "kms:Decrypt", "arn:aws:kms:us-east-1:111111111111:key/Key", VIA_S3),
    ("repository", "ecr:BatchGetImage", "arn:aws:ecr:us-east-1:111111111111:repository/images", {}),
    ("repository", "ecr:GetDownloadUrlForLayer", "arn:aws:ecr:us-east-1:111111111111:repository/images", {}),
    ("repository", "ecr:BatchCheckLayerAvailability", "arn:aws:ecr:us-east-1:111111111111:repository/images", {}),
]
# What it doesn't take.
MORE: list[tuple[str, str, str, dict[str, str]]] = [
    ("group", "sagemaker:UpdateModelPackage", VERSION, {}),
    ("group", "sagemaker:DeleteModelPackage", VERSION, {}),
    ("bucket", "s3:GetObject", "arn:aws:s3:::Bucket/datasets/mine/rows.jsonl", {}),
    ("bucket", "s3:PutObject", "arn:aws:s3:::Bucket/packages/abc/model.tar.gz", {}),
    ("bucket", "s3:ListBucket", "arn:aws:s3:::Bucket", {"s3:prefix": "datasets"}),
    ("key", "kms:Decrypt", "arn:aws:kms:us-east-1:111111111111:key/Key", {}),
    ("key", "kms:GenerateDataKey", "arn:aws:kms:us-east-1:111111111111:key/Key", VIA_S3),
    ("repository", "ecr:PutImage", "arn:aws:ecr:us-east-1:111111111111:repository/images", {}),
]


def template(consumers: ModelConsumers) -> dict[str, Any]:
    stack = Stack(App(), "Registry", env=Environment(account=OWNER, region="us-east-1"))
    key = kms.Key(stack, "Key")
    bucket = s3.Bucket(stack, "Bucket", encryption_key=key)
    repository = ecr.Repository(stack, "Repository", repository_name="images")
    registry = ModelRegistry(stack, "Models", group_name="models", consumers=consumers, delete_with_stack=False)
    if consumers:
        grant_consumers(
            stack, consumers, group_name=registry.group_name, packages=(bucket, "packages"), key=key,
            repository=repository,
        )  # fmt: skip
    return dict(Template.from_stack(stack).to_json())


def policies(made: dict[str, Any]) -> dict[str, dict[str, Any]]:
    found = {}
    for name, (kind, field) in KINDS.items():
        properties = [item["Properties"] for item in made["Resources"].values() if item["Type"] == kind]
        found[name] = resolved(properties[0].get(field, {"Statement": []}) if properties else {"Statement": []})
    return found


def resolved(value: Any) -> Any:
    """With CloudFormation's functions worked out, as far as they are in these templates."""
    if isinstance(value, list):
        return [resolved(item) for item in value]
    if not isinstance(value, dict):
        return value
    if "Fn::Join" in value:
        separator, parts = value["Fn::Join"]
        return separator.join(resolved(parts))
    if "Fn::GetAtt" in value:
        return "arn:aws:s3:::Bucket"
    if "Ref" in value:
        return {"AWS::Partition": "aws", "AWS::URLSuffix": "amazonaws.com"}[value["Ref"]]
    return {name: resolved(item) for name, item in value.items()}


def allows(policy: dict[str, Any], need: tuple[str, str, str, dict[str, str]], *, account: str, org: str = "") -> bool:
    _, action, resource, context = need
    caller = EvalContext(
        principal_arn=f"arn:aws:sts::{account}:assumed-role/Deployer/x", principal_type="AssumedRole",
        principal_account=account, action=action, resource_arn=resource, region="us-east-1", service_context=context,
        principal_keys={"aws:principalorgid": org} if org else {},
    )  # fmt: skip
    return bool(evaluate_resource_policy(policy, caller).decision == "Allow")


BY_ACCOUNT = ModelConsumers([CONSUMER, CONSUMER])
BY_ORGANIZATION = ModelConsumers([], organization_arn=ORGANIZATION)
BY_BOTH = ModelConsumers([CONSUMER], organization_arn=ORGANIZATION)


@pytest.mark.parametrize("need", NEEDS, ids=lambda need: need[1])
def test_each_access_is_granted_to_consumers_and_to_nobody_else(need: tuple[str, str, str, dict[str, str]]) -> None:
    policy = policies(template(BY_ACCOUNT))[need[0]]
    assert allows(policy, need, account=CONSUMER)
    assert not allows(policy, need, account=STRANGER)
    assert not allows(policies(template(ModelConsumers([])))[need[0]], need, account=CONSUMER)


@pytest.mark.parametrize("need", NEEDS, ids=lambda need: need[1])
def test_without_the_statement_that_grants_it_an_access_is_refused(need: tuple[str, str, str, dict[str, str]]) -> None:
    policy = policies(template(BY_ACCOUNT))[need[0]]
    # Only one statement is for consumers of what each needs: each is taken away, one after another.
    without = [
        {**policy, "Statement": [kept for kept in policy["Statement"] if kept is not gone]}
        for gone in policy["Statement"]
        if CONSUMER in json.dumps(gone.get("Principal", {}))
    ]
    assert without and any(not allows(less, need, account=CONSUMER) for less in without)


@pytest.mark.parametrize("more", MORE, ids=lambda more: f"{more[1]} {more[2]}")
def test_nothing_more_is_granted(more: tuple[str, str, str, dict[str, str]]) -> None:
    for consumers in (BY_ACCOUNT, BY_ORGANIZATION, BY_BOTH):
        policy = policies(template(consumers))[more[0]]
        assert not allows(policy, more, account=CONSUMER, org="o-abcdefghij")


@pytest.mark.parametrize("need", NEEDS, ids=lambda need: need[1])
def test_an_organisation_is_asked_for_by_its_id(need: tuple[str, str, str, dict[str, str]]) -> None:
    everybody, some = (policies(template(consumers))[need[0]] for consumers in (BY_ORGANIZATION, BY_BOTH))
    assert allows(everybody, need, account=STRANGER, org="o-abcdefghij")
    assert not allows(everybody, need, account=STRANGER, org="o-another000")
    assert not allows(everybody, need, account=STRANGER)
    assert allows(some, need, account=CONSUMER, org="o-abcdefghij")
    assert not allows(some, need, account=CONSUMER)
    assert not allows(some, need, account=STRANGER, org="o-abcdefghij")


@pytest.mark.parametrize(
    ("consumers", "principals", "external"),
    [(BY_ACCOUNT, [CONSUMER], True), (BY_ORGANIZATION, [ORGANIZATION], False), (BY_BOTH, [CONSUMER], False)],
)
def test_the_group_is_shared_so_that_it_is_found(
    consumers: ModelConsumers, principals: list[str], external: bool
) -> None:
    (share,) = [
        item["Properties"]
        for item in template(consumers)["Resources"].values()
        if item["Type"] == "AWS::RAM::ResourceShare"
    ]
    assert share["Principals"] == principals and share["AllowExternalPrincipals"] is external
    assert resolved(share["ResourceArns"]) == [ARNS["Group"]]


def test_without_consumers_nothing_is_shared() -> None:
    made = template(ModelConsumers([]))
    assert "AWS::RAM::ResourceShare" not in {item["Type"] for item in made["Resources"].values()}
    assert not policies(made)["bucket"]["Statement"] and not policies(made)["repository"]["Statement"]
