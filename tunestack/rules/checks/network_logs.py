"""A VPC requires flow logs, and an interface endpoint requires private DNS."""

from collections.abc import Iterator

from tunestack.rules.finding import Problem
from tunestack.template.resources import Resource, Resources
from tunestack.template.values import is_true

KINDS = frozenset({"AWS::EC2::VPC", "AWS::EC2::VPCEndpoint"})


def check(resource: Resource, resources: Resources) -> Iterator[Problem]:
    if resource.kind == "AWS::EC2::VPC":
        logged = [log.properties.get("ResourceId") for log in resources.of_kind("AWS::EC2::FlowLog")]
        if {"Ref": resource.logical_id} not in logged:
            yield "FlowLog", "missing: nobody would know what went out"
    elif resource.properties.get("VpcEndpointType") == "Interface" and not is_true(
        resource.properties.get("PrivateDnsEnabled")
    ):
        yield "PrivateDnsEnabled", "must be true: calls would look for a way to the internet"
