"""A stack's region must have what the stack holds, as a CDK validation plugin: a deployment would end half-way."""

from collections.abc import Iterator, Sequence

from aws_cdk import PolicyViolatingResource, PolicyViolation

from tunestack.catalogue.region_types import lacking, nearest_region
from tunestack.template.assembly import Stack
from tunestack_cdk.stack_checks import StackChecks


class RegionChecks(StackChecks):
    """Fails the synthesis where a stack's region lacks a type of the kit's resources."""

    @property
    def name(self) -> str:
        return "tunestack-regions"

    @property
    def rule_ids(self) -> list[str]:
        return ["region_type"]

    def found(self, stacks: Sequence[Stack]) -> Iterator[PolicyViolation]:
        for stack in stacks:
            types = {item["Type"] for item in stack.template.get("Resources", {}).values()}
            for kind in lacking(stack.region, types):
                yield _violation(stack, kind, nearest_region(stack.region, types))


def _violation(stack: Stack, kind: str, other: str | None) -> PolicyViolation:
    return PolicyViolation(
        rule_name="region_type",
        description=f"{stack.region} has no {kind}",
        fix=f"Choose a region that has every type of the stack, such as {other}." if other else "Leave it out there.",
        severity="error",
        violating_resources=[
            PolicyViolatingResource(resource_logical_id=name, template_path=str(stack.file), locations=["Type"])
            for name in stack.of_kind(kind)
        ],
    )
