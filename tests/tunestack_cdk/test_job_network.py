"""JobNetwork: no way to the internet, endpoints that only the jobs reach, every flow logged."""

import json
from typing import Any

import pytest
from aws_cdk import Stack
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk.assertions import Match
from ministack.core.iam_evaluator import EvalContext, evaluate_resource_policy
from tunestack_cdk.job_network import JobNetwork

OWN = {"Ref": "AWS::AccountId"}


@pytest.fixture
def network(stack: Stack, key: kms.Key) -> JobNetwork:
    return JobNetwork(
        stack,
        "Network",
        cidr="10.1.0.0/16",
        availability_zones=2,
        zone_ids=["use1-az1", "use1-az4"],
        key=key,
        log_retention=logs.RetentionDays.ONE_WEEK,
        image_accounts=["999999999999"],
        delete_with_stack=False,
    )


def test_there_is_no_way_to_the_internet(network: JobNetwork, template: Any) -> None:
    for kind in ("AWS::EC2::InternetGateway", "AWS::EC2::NatGateway", "AWS::EC2::Route"):
        template().resource_count_is(kind, 0)
    template().all_resources_properties("AWS::EC2::Subnet", {"MapPublicIpOnLaunch": False})
    assert len(network.subnet_ids) == 2


def test_endpoints_have_private_names_and_let_only_the_jobs_in(network: JobNetwork, template: Any) -> None:
    interface = {"VpcEndpointType": "Interface"}
    found = template().find_resources("AWS::EC2::VPCEndpoint", {"Properties": interface})
    assert len(found) == 9
    assert all(item["Properties"]["PrivateDnsEnabled"] is True for item in found.values())
    template().has_resource_properties(
        "AWS::EC2::SecurityGroupIngress", {"FromPort": 443, "ToPort": 443, "SourceSecurityGroupId": Match.any_value()}
    )
    ingress = template().find_resources("AWS::EC2::SecurityGroupIngress")
    assert all("CidrIp" not in item["Properties"] for item in ingress.values())


def test_through_an_endpoint_only_the_own_account_is_reached_and_of_images_those_named(
    network: JobNetwork, template: Any
) -> None:
    interface = {"VpcEndpointType": "Interface"}
    owners = {}
    for name, item in template().find_resources("AWS::EC2::VPCEndpoint", {"Properties": interface}).items():
        (statement,) = item["Properties"]["PolicyDocument"]["Statement"]
        assert statement["Condition"]["StringEquals"]["aws:PrincipalAccount"] == {"Ref": "AWS::AccountId"}
        owners[name] = statement["Condition"]["StringEquals"]["aws:ResourceAccount"]
    of_images = [OWN, "999999999999"]
    assert all(value == (of_images if "Ecr" in name else [OWN]) for name, value in owners.items())
    assert sum(value == of_images for value in owners.values()) == 2


def test_every_flow_is_logged_encrypted_for_as_long_as_settings_say(network: JobNetwork, template: Any) -> None:
    template().has_resource_properties("AWS::EC2::FlowLog", {"TrafficType": "ALL", "ResourceType": "VPC"})
    template().has_resource_properties("AWS::Logs::LogGroup", {"RetentionInDays": 7, "KmsKeyId": Match.any_value()})


def test_subnets_are_placed_by_zone_id_where_one_is_given(network: JobNetwork, template: Any) -> None:
    subnets = [item["Properties"] for item in template().find_resources("AWS::EC2::Subnet").values()]
    assert sorted(item["AvailabilityZoneId"] for item in subnets) == ["use1-az1", "use1-az4"]
    assert not any("AvailabilityZone" in item for item in subnets)


def test_the_default_security_group_lets_nothing_through(network: JobNetwork, template: Any) -> None:
    template().resource_count_is("Custom::VpcRestrictDefaultSG", 1)


# The evaluator reads a bucket's account off the ARN, where S3's have none: without one it is the caller's.
LAYERS = "arn:aws:s3:::prod-us-east-1-starport-layer-bucket/a"


@pytest.mark.parametrize(
    ("action", "resource", "sids"),
    [
        ("s3:GetObject", "arn:aws:s3:::mine/datasets/a", ["OwnBuckets"]),
        ("s3:PutObject", "arn:aws:s3:::mine/results/a", ["OwnBuckets"]),
        ("s3:PutObject", "arn:aws:s3::222222222222:theirs/loot", []),
        ("s3:GetObject", "arn:aws:s3::222222222222:theirs/tool", []),
        ("s3:GetObject", LAYERS, ["OwnBuckets", "ImageLayers"]),
        ("s3:PutObject", LAYERS.replace(":::", "::333333333333:"), []),
    ],
)
def test_the_way_to_s3_ends_at_the_account_s_own_buckets(
    network: JobNetwork, template: Any, action: str, resource: str, sids: list[str]
) -> None:
    (gateway,) = template().find_resources(
        "AWS::EC2::VPCEndpoint", {"Properties": {"VpcEndpointType": "Gateway"}}
    ).values()  # fmt: skip
    text = json.dumps(gateway["Properties"]["PolicyDocument"])
    for reference, value in (
        ("AWS::Partition", "aws"),
        ("AWS::Region", "us-east-1"),
        ("AWS::AccountId", "111111111111"),
    ):
        text = text.replace(json.dumps({"Ref": reference}), json.dumps(value))
    statements = json.loads(text)["Statement"]
    for statement in statements:
        if isinstance(statement["Resource"], dict):
            statement["Resource"] = "".join(statement["Resource"]["Fn::Join"][1])
    caller = EvalContext(
        principal_arn="arn:aws:sts::111111111111:assumed-role/Job/x", principal_type="AssumedRole",
        principal_account="111111111111", action=action, resource_arn=resource, region="us-east-1",
    )  # fmt: skip
    allowing = [
        statement["Sid"]
        for statement in statements
        if evaluate_resource_policy({"Statement": [statement]}, caller).decision == "Allow"
    ]
    assert allowing == sids
