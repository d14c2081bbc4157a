"""EventBridge delivers: to a bus with the target's role, to a queue or a topic as itself."""

from collections.abc import Iterator

from tunestack.permissions.access import Access
from tunestack.permissions.needs.common import taken_on
from tunestack.permissions.world import World

_EVENTS = "events.amazonaws.com"
# What a rule does to a target, by the target's service: by itself, and with the target's role.
_AS_ITSELF = {"sns": "sns:Publish", "sqs": "sqs:SendMessage"}
_WITH_A_ROLE = {"codepipeline": "codepipeline:StartPipelineExecution", "events": "events:PutEvents"}


def needs(world: World) -> Iterator[Access]:
    """What each rule needs to reach its targets."""
    for stack, logical_id, properties in world.resources("AWS::Events::Rule"):
        by, own = f"{stack.name}: rule {logical_id}", {"aws:SourceArn": world.resolver(stack).arn_of(logical_id)}
        for target in properties.get("Targets", []):
            arn = target["Arn"]
            service = [*str(arn).split(":"), "", "", ""][2]
            if action := _AS_ITSELF.get(service):
                yield Access(by=by, principal=_EVENTS, action=action, resource=arn, context=own)
            if role := target.get("RoleArn"):
                yield from taken_on(world, by, role, _EVENTS)
                if action := _WITH_A_ROLE.get(service):
                    yield Access(by=by, principal=role, action=action, resource=arn)
