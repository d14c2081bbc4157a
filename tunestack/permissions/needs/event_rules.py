"""EventBridge delivers: to a bus with the target's role, to a queue as itself."""

from collections.abc import Iterator

from tunestack.permissions.access import Access
from tunestack.permissions.needs.common import taken_on
from tunestack.permissions.world import World

_EVENTS = "events.amazonaws.com"
# What a rule does to a target with a role, by the target's service.
_DELIVERY = {"codepipeline": "codepipeline:StartPipelineExecution", "events": "events:PutEvents"}


def needs(world: World) -> Iterator[Access]:
    """What each rule needs to reach its targets."""
    for stack, logical_id, properties in world.resources("AWS::Events::Rule"):
        by, own = f"{stack.name}: rule {logical_id}", {"aws:SourceArn": world.resolver(stack).arn_of(logical_id)}
        for target in properties.get("Targets", []):
            arn = target["Arn"]
            if ":sqs:" in arn:
                yield Access(by=by, principal=_EVENTS, action="sqs:SendMessage", resource=arn, context=own)
            if role := target.get("RoleArn"):
                yield from taken_on(world, by, role, _EVENTS)
                if action := _DELIVERY.get(str(arn).split(":")[2]):
                    yield Access(by=by, principal=role, action=action, resource=arn)
