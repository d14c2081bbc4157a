"""JobRole: what its job does and nothing else, for SageMaker of this account alone."""

from typing import Any

import pytest
from aws_cdk import Stack
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk.assertions import Match
from tunestack_cdk.job_role import JobRole, service_role

from tests.tunestack_cdk.conftest import statements


def make(
    stack: Stack, key: kms.Key, repository: ecr.Repository, *, in_vpc: bool = False, encrypts_volume: bool = True
) -> JobRole:
    return JobRole(
        stack, "TrainRole", image=repository, key=key, log_group="/aws/sagemaker/TrainingJobs", encrypts_volume=encrypts_volume,
        subnet_ids=["subnet-1"] if in_vpc else [], security_group_ids=["sg-1"] if in_vpc else [],
    )  # fmt: skip


def test_only_sagemaker_of_this_account_may_take_it_on(
    stack: Stack, key: kms.Key, repository: ecr.Repository, template: Any
) -> None:
    make(stack, key, repository)
    trust = {
        "Action": "sts:AssumeRole",
        "Principal": {"Service": "sagemaker.amazonaws.com"},
        "Condition": {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}},
    }
    document = {"Statement": [Match.object_like(trust)]}
    template().has_resource_properties("AWS::IAM::Role", {"AssumeRolePolicyDocument": document})
    template().has_resource_properties("AWS::IAM::Role", {"ManagedPolicyArns": Match.absent()})


@pytest.mark.parametrize(
    ("grant", "actions"),
    [
        ("grant_read", {"s3:GetObject", "s3:ListBucket", "kms:Decrypt"}),
        ("grant_write", {"s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"}),
        ("grant_delete", {"s3:DeleteObject"}),
    ],
)
def test_a_grant_reaches_one_prefix_of_one_bucket(
    grant: str,
    actions: set[str],
    stack: Stack,
    key: kms.Key,
    repository: ecr.Repository,
    bucket: s3.Bucket,
    template: Any,
) -> None:
    getattr(make(stack, key, repository), grant)(bucket, "training")
    found = statements(template(), "TrainRole")
    flat = {action: item for item in found for action in ([item["Action"]] if isinstance(item["Action"], str) else item["Action"])}  # fmt: skip
    assert actions <= flat.keys()
    of_objects = [item for item in found if "Object" in str(item["Action"]) and "s3:" in str(item["Action"])]
    resource = bucket.node.default_child
    assert isinstance(resource, s3.CfnBucket)
    name = stack.get_logical_id(resource)
    assert all(
        f"'{name}', 'Arn'" in str(item["Resource"]) and "/training/*" in str(item["Resource"]) for item in of_objects
    )
    if "s3:ListBucket" in flat:
        assert flat["s3:ListBucket"]["Condition"] == {"StringLike": {"s3:prefix": ["training/*"]}}


def test_it_pulls_its_own_image_only(stack: Stack, key: kms.Key, repository: ecr.Repository, template: Any) -> None:
    make(stack, key, repository)
    pull = next(item for item in statements(template(), "TrainRole") if "ecr:BatchGetImage" in item["Action"])
    assert pull["Resource"]["Fn::GetAtt"][0].startswith("Images")


@pytest.mark.parametrize("in_vpc", [False, True])
def test_network_interfaces_are_made_in_its_subnets_only_where_there_is_a_network(
    in_vpc: bool, stack: Stack, key: kms.Key, repository: ecr.Repository, template: Any
) -> None:
    make(stack, key, repository, in_vpc=in_vpc)
    made = [item for item in statements(template(), "TrainRole") if "ec2:CreateNetworkInterface" in item["Action"]]
    assert len(made) == int(in_vpc)
    if in_vpc:
        asked = [
            item for item in statements(template(), "TrainRole") if "ec2:CreateNetworkInterface" in str(item["Action"])
        ]
        assert not any("Condition" in item for item in asked), "SageMaker isn't documented to send a key for one"
        assert "subnet/subnet-1" in str(made[0]["Resource"]) and "security-group/sg-1" in str(made[0]["Resource"])


def test_a_lambda_s_role_has_no_source_account_which_lambda_does_not_send(stack: Stack, template: Any) -> None:
    service_role(stack, "Role", service="lambda")
    statement = [Match.object_like({"Principal": {"Service": "lambda.amazonaws.com"}, "Condition": Match.absent()})]
    template().has_resource_properties("AWS::IAM::Role", {"AssumeRolePolicyDocument": {"Statement": statement}})


@pytest.mark.parametrize("encrypts", [False, True])
def test_it_may_have_a_volume_encrypted_where_its_instance_has_one(
    encrypts: bool, stack: Stack, key: kms.Key, repository: ecr.Repository, template: Any
) -> None:
    make(stack, key, repository, encrypts_volume=encrypts)
    granted = [item for item in statements(template(), "TrainRole") if "kms:CreateGrant" in item["Action"]]
    assert bool(granted) is encrypts
