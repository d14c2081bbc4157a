"""The kit's rules as a CDK validation plugin: `Validations.of(app).add_plugins(TunestackChecks())`."""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from itertools import groupby

import jsii
from aws_cdk import (
    IPolicyValidationContext,
    IPolicyValidationPlugin,
    PolicyValidationPluginReport,
    PolicyViolatingResource,
    PolicyViolation,
)

from tunestack.definition.found_by_file import name_of
from tunestack.rules import RULES, violations
from tunestack.rules.assembly import Assembly
from tunestack.rules.finding import Violation


@jsii.implements(IPolicyValidationPlugin)
class TunestackChecks:
    """Looks at every synthesized template, and fails the synthesis for what breaks a rule.

    `accepted`: what may break a rule, as `RULE LOGICAL_ID.PROPERTY` with wildcards, each with the reason.
    """

    def __init__(self, accepted: Mapping[str, str] | None = None) -> None:
        self._accepted = dict(accepted or {})
        if unreasoned := [pattern for pattern, reason in self._accepted.items() if not reason.strip()]:
            raise ValueError(f"accepted without a reason: {', '.join(unreasoned)}")

    @property
    def name(self) -> str:
        return "tunestack"

    @property
    def version(self) -> str | None:
        return None

    @property
    def rule_ids(self) -> list[str]:
        return [name_of(rule) for rule in RULES]

    def validate(self, context: IPolicyValidationContext) -> PolicyValidationPluginReport:
        """What CDK calls once the templates are written."""
        found = [item for item in violations(Assembly.read(context.template_paths)) if not self._accepts(item)]
        found.sort(key=lambda item: (item.rule, item.message))
        reported = [
            _violation(rule, message, list(group))
            for (rule, message), group in groupby(found, key=lambda item: (item.rule, item.message))
        ]
        return PolicyValidationPluginReport(success=not reported, violations=reported)

    def _accepts(self, item: Violation) -> bool:
        return any(fnmatchcase(item.place, pattern) for pattern in self._accepted)


def _violation(rule: str, message: str, found: list[Violation]) -> PolicyViolation:
    wanted = next(item.__doc__ for item in RULES if name_of(item) == rule)
    return PolicyViolation(
        rule_name=rule,
        description=message,
        fix=wanted,
        severity="error",
        violating_resources=[
            PolicyViolatingResource(
                resource_logical_id=item.logical_id, template_path=item.template, locations=[item.where]
            )
            for item in found
        ],
    )
