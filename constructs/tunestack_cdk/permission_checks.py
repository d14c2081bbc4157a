"""The permission proof as a CDK validation plugin: `Validations.of(app).add_plugins(PermissionChecks())`."""

from collections.abc import Iterator, Sequence

from aws_cdk import PolicyViolatingResource, PolicyViolation

from tunestack.permissions.access import Broken
from tunestack.permissions.proof import prove
from tunestack.permissions.unneeded import Unneeded
from tunestack.permissions.world import World
from tunestack.template.assembly import Stack
from tunestack_cdk.stack_checks import StackChecks


class PermissionChecks(StackChecks):
    """Fails the synthesis where a job, a pipeline, a function or a build can't do what it must, or may do more.

    Of a role that nothing known takes on, and of an account that isn't here, nothing is said to be more.
    """

    @property
    def name(self) -> str:
        return "tunestack-permissions"

    @property
    def rule_ids(self) -> list[str]:
        return ["reachable", "unneeded"]

    def found(self, stacks: Sequence[Stack]) -> Iterator[PolicyViolation]:
        proof = prove(World(stacks))
        files = {stack.name: str(stack.file) for stack in stacks}
        yield from map(_violation, proof.broken)
        for item in proof.unneeded:
            yield _of_unneeded(item, files[item.stack])


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


def _of_unneeded(item: Unneeded, template: str) -> PolicyViolation:
    logical_id, _, where = item.statement.where.partition(".")
    return PolicyViolation(
        rule_name="unneeded",
        description=str(item),
        fix="Take it away, or accept it beside the construct that grants it, with the reason.",
        severity="error",
        violating_resources=[
            PolicyViolatingResource(resource_logical_id=logical_id, template_path=template, locations=[where])
        ],
    )
