"""The proof of reachability as a CDK validation plugin: `Validations.of(app).add_plugins(ReachabilityChecks())`."""

from pathlib import Path

import jsii
from aws_cdk import (
    IPolicyValidationContext,
    IPolicyValidationPlugin,
    PolicyValidationPluginReport,
    PolicyViolatingResource,
    PolicyViolation,
)

from tunestack.reachability.access import Broken
from tunestack.reachability.proof import prove
from tunestack.reachability.world import World


@jsii.implements(IPolicyValidationPlugin)
class ReachabilityChecks:
    """Fails the synthesis where a job, a pipeline, a function or a build can't do what it must."""

    @property
    def name(self) -> str:
        return "tunestack-reachability"

    @property
    def version(self) -> str | None:
        return None

    @property
    def rule_ids(self) -> list[str]:
        return ["reachable"]

    def validate(self, context: IPolicyValidationContext) -> PolicyValidationPluginReport:
        """What CDK calls once the templates are written."""
        folders = dict.fromkeys(Path(file).parent for file in context.template_paths)
        proof = prove(World.read(folders), needed_only=True)
        violations = [_violation(item) for item in proof.broken]
        return PolicyValidationPluginReport(success=not violations, violations=violations)


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
