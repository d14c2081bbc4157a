"""What needs of several kinds have in common: trust, and the writing of a log."""

from collections.abc import Iterator

from tunestack.permissions.access import Access
from tunestack.permissions.world import World
from tunestack.template.assembly import Stack

LOG_ACTIONS = ("logs:CreateLogStream", "logs:PutLogEvents")


def taken_on(world: World, by: str, role: str, service: str) -> Iterator[Access]:
    """A role's trust is a policy on the role: the service must be let in."""
    if role in world.roles:
        context = {"aws:SourceAccount": world.roles[role].account}
        yield Access(by=by, principal=service, action="sts:AssumeRole", resource=role, context=context)


def log_written(stack: Stack, by: str, role: str, group: str, *more: str) -> Iterator[Access]:
    """Streams of a log group are made and written; `more` are further actions on them."""
    arn = f"arn:{stack.partition}:logs:{stack.region}:{stack.account}:log-group:{group}:log-stream:a"
    for action in (*more, *LOG_ACTIONS):
        yield Access(by=by, principal=role, action=action, resource=arn)
