"""A function writes its log, and takes from the queue that it is fed by."""

from collections.abc import Iterator

from tunestack.permissions.access import Access
from tunestack.permissions.needs.common import log_written, taken_on
from tunestack.permissions.world import World

_QUEUE = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")


def needs(world: World) -> Iterator[Access]:
    """What each function needs, whatever it does."""
    for stack, logical_id, properties in world.resources("AWS::Lambda::Function"):
        by, role = f"{stack.name}: function {logical_id}", properties["Role"]
        yield from taken_on(world, by, role, "lambda.amazonaws.com")
        if group := properties.get("LoggingConfig", {}).get("LogGroup"):
            yield from log_written(stack, by, role, group)
        for other, _, mapping in world.resources("AWS::Lambda::EventSourceMapping"):
            fed = mapping.get("FunctionName") == world.resolver(stack).name_of(logical_id)
            if other is stack and fed and ":sqs:" in str(mapping.get("EventSourceArn")):
                for action in _QUEUE:
                    yield Access(by=by, principal=role, action=action, resource=mapping["EventSourceArn"])
