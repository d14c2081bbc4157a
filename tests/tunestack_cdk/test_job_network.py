"""JobNetwork: no way to the internet, endpoints that only the jobs reach, every flow logged."""

from typing import Any

import pytest
from aws_cdk import Stack
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk.assertions import Match
from tunestack_cdk.job_network import JobNetwork


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


def test_every_flow_is_logged_encrypted_for_as_long_as_settings_say(network: JobNetwork, template: Any) -> None:
    template().has_resource_properties("AWS::EC2::FlowLog", {"TrafficType": "ALL", "ResourceType": "VPC"})
    template().has_resource_properties("AWS::Logs::LogGroup", {"RetentionInDays": 7, "KmsKeyId": Match.any_value()})


def test_subnets_are_placed_by_zone_id_where_one_is_given(network: JobNetwork, template: Any) -> None:
    subnets = [item["Properties"] for item in template().find_resources("AWS::EC2::Subnet").values()]
    assert sorted(item["AvailabilityZoneId"] for item in subnets) == ["use1-az1", "use1-az4"]
    assert not any("AvailabilityZone" in item for item in subnets)


def test_the_default_security_group_lets_nothing_through(network: JobNetwork, template: Any) -> None:
    template().resource_count_is("Custom::VpcRestrictDefaultSG", 1)
