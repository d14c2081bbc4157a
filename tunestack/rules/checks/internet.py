"""The jobs' network must have no route to the internet, and no rule that lets traffic in from outside."""

from collections.abc import Iterator, Mapping
from typing import Any

from tunestack.rules.finding import Problem
from tunestack.template.resources import Resource, Resources
from tunestack.template.values import as_mappings, as_text, is_true

_ANYWHERE = frozenset({"0.0.0.0/0", "::/0"})
_WAYS = {
    "AWS::EC2::InternetGateway": "is a way to the internet",
    "AWS::EC2::NatGateway": "is a way to the internet",
    "AWS::EC2::EgressOnlyInternetGateway": "is a way to the internet",
    "AWS::EC2::EIP": "is an address on the internet",
    "AWS::EC2::VPCPeeringConnection": "is a way to another network",
}
KINDS = frozenset(
    {
        *_WAYS, "AWS::EC2::Subnet", "AWS::EC2::Route", "AWS::EC2::SecurityGroup", "AWS::EC2::SecurityGroupIngress",
        "AWS::EC2::SecurityGroupEgress",
    }
)  # fmt: skip


def check(resource: Resource, resources: Resources) -> Iterator[Problem]:
    properties = resource.properties
    if way := _WAYS.get(resource.kind):
        yield "Type", way
    elif resource.kind == "AWS::EC2::Subnet" and is_true(properties.get("MapPublicIpOnLaunch")):
        yield "MapPublicIpOnLaunch", "must be false: what starts there would have an address on the internet"
    elif resource.kind == "AWS::EC2::Route" and _anywhere(
        properties, "DestinationCidrBlock", "DestinationIpv6CidrBlock"
    ):
        yield "DestinationCidrBlock", "is a way to the internet"
    elif resource.kind == "AWS::EC2::SecurityGroup":
        for index, rule in enumerate(as_mappings(properties.get("SecurityGroupIngress"))):
            yield from _ingress(rule, f"SecurityGroupIngress[{index}]")
        if not as_mappings(properties.get("SecurityGroupEgress")):
            yield "SecurityGroupEgress", "missing: without a rule, everything may go out"
        for index, rule in enumerate(as_mappings(properties.get("SecurityGroupEgress"))):
            yield from _egress(rule, f"SecurityGroupEgress[{index}]")
    elif resource.kind == "AWS::EC2::SecurityGroupIngress":
        yield from _ingress(properties, "CidrIp")
    elif resource.kind == "AWS::EC2::SecurityGroupEgress":
        yield from _egress(properties, "CidrIp")


def _anywhere(rule: Mapping[str, Any], *members: str) -> bool:
    return any(as_text(rule.get(member)) in _ANYWHERE for member in members)


def _ingress(rule: Mapping[str, Any], where: str) -> Iterator[Problem]:
    if _anywhere(rule, "CidrIp", "CidrIpv6"):
        yield where, "lets everybody in"


def _egress(rule: Mapping[str, Any], where: str) -> Iterator[Problem]:
    # TLS alone goes out anywhere: to endpoints, and to S3, whose addresses aren't known.
    tls = (rule.get("FromPort"), rule.get("ToPort")) == (443, 443)
    if _anywhere(rule, "CidrIp", "CidrIpv6") and not tls:
        yield where, "lets everything out: TLS (443) is enough"
