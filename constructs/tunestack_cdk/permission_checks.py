"""The permission proof as a CDK validation plugin: `Validations.of(app).add_plugins(PermissionChecks())`."""

from collections.abc import Iterator, Sequence

from aws_cdk import PolicyViolatingResource, PolicyViolation

from tunestack.permissions.access import Broken
from tunestack.permissions.proof import prove
from tunestack.permissions.world import World
from tunestack.template.assembly import Stack
from tunestack_cdk.stack_checks import StackChecks


class PermissionChecks(StackChecks):
    """Fails the synthesis where a job, a pipeline, a function or a build can't do what it must."""

    @property
    def name(self) -> str:
        return "tunestack-permissions"

    @property
    def rule_ids(self) -> list[str]:
        return ["reachable"]

    def found(self, stacks: Sequence[Stack]) -> Iterator[PolicyViolation]:
        return (_violation(item) for item in prove(World(stacks), needed_only=True).broken)


def _violation(item: Broken) -> PolicyViolation:
    return PolicyViolation(
        rule_name="reachable",
        description=str(item),
        fix="Grant it where the reason says, or take away what needs it; `tunestack access` looks at it again.",
        severity="error",
        violating_resources=[
            PolicyViolatingResource(resource_logical_id="", template_path=item.stack, locations=[item.access.resource])
        ],
    )
