"""What SageMaker does with a job's role that nothing on this machine does: the image, the network, the volume."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tunestack.permissions.calls import Needed, volume_encryption, volume_key

_IMAGE = re.compile(r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.[a-z.]+/(?P<repository>[^:@]+)")
PULL_ACTIONS = ("ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage")
# "Give SageMaker AI jobs access to resources in your Amazon VPC": what the execution role needs.
_INTERFACE = ("CreateNetworkInterface", "DeleteNetworkInterface")
_PERMISSION = ("CreateNetworkInterfacePermission", "DeleteNetworkInterfacePermission")
_DESCRIBED = (
    "DescribeDhcpOptions",
    "DescribeNetworkInterfaces",
    "DescribeSecurityGroups",
    "DescribeSubnets",
    "DescribeVpcs",
)


def needed_by_role(
    image_uri: str, vpc: Mapping[str, Any] | None, request: Mapping[str, Any], *, account: str, region: str
) -> Iterator[Needed]:
    """Everything that a job's role must be allowed before its container starts."""
    if found := _IMAGE.match(image_uri):
        repository = f"arn:aws:ecr:{found['region']}:{found['account']}:repository/{found['repository']}"
        yield Needed(action="ecr:GetAuthorizationToken", resource="*")
        for action in PULL_ACTIONS:
            yield Needed(action=action, resource=repository)
    if vpc:
        yield from _network(vpc, f"arn:aws:ec2:{region}:{account}")
    if key := volume_key(request):
        yield from volume_encryption(key)


def _network(vpc: Mapping[str, Any], prefix: str) -> Iterator[Needed]:
    interface = f"{prefix}:network-interface/eni-0"
    places = [f"{prefix}:subnet/{name}" for name in vpc.get("Subnets", [])]
    groups = [f"{prefix}:security-group/{name}" for name in vpc.get("SecurityGroupIds", [])]
    for resource in (interface, *places, *groups):
        yield Needed(action=f"ec2:{_INTERFACE[0]}", resource=resource)
    yield Needed(action=f"ec2:{_INTERFACE[1]}", resource=interface)
    for action in _PERMISSION:
        yield Needed(action=f"ec2:{action}", resource=interface)
    for action in _DESCRIBED:
        yield Needed(action=f"ec2:{action}", resource="*")
