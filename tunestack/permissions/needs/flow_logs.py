"""A flow log writes to its group, as the service."""

from collections.abc import Iterator

from tunestack.permissions.access import Access
from tunestack.permissions.needs.common import log_written, taken_on
from tunestack.permissions.world import World


def needs(world: World) -> Iterator[Access]:
    """What each flow log needs that writes to CloudWatch."""
    for stack, logical_id, properties in world.resources("AWS::EC2::FlowLog"):
        role, group = properties.get("DeliverLogsPermissionArn"), properties.get("LogGroupName")
        if role and group:
            by = f"{stack.name}: flow log {logical_id}"
            yield from taken_on(world, by, role, "vpc-flow-logs.amazonaws.com")
            yield from log_written(stack, by, role, group, "logs:DescribeLogStreams")
