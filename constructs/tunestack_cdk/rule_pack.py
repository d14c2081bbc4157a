"""The kit's rules as a CDK validation plugin: `Validations.of(app).add_plugins(TunestackChecks())`."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from itertools import groupby

from aws_cdk import PolicyViolatingResource, PolicyViolation

from tunestack.definition.found_by_file import name_of
from tunestack.rules import RULES, violations
from tunestack.rules.finding import Violation
from tunestack.template.assembly import Stack
from tunestack.template.resources import Resources
from tunestack_cdk.stack_checks import StackChecks


class TunestackChecks(StackChecks):
    """Looks at every synthesized template, and fails the synthesis for what breaks a rule.

    `accepted`: what may break a rule, as `RULE LOGICAL_ID.PROPERTY` or `RULE LOGICAL_ID.PROPERTY: MESSAGE` with
    wildcards, each with the reason. `known_accounts`: other accounts that resources may name and let in, beside those
    that the stacks are for.
    """

    def __init__(self, accepted: Mapping[str, str] | None = None, *, known_accounts: Iterable[str] = ()) -> None:
        self._accepted = dict(accepted or {})
        self._known_accounts = frozenset(known_accounts)
        if unreasoned := [pattern for pattern, reason in self._accepted.items() if not reason.strip()]:
            raise ValueError(f"accepted without a reason: {', '.join(unreasoned)}")

    @property
    def name(self) -> str:
        return "tunestack"

    @property
    def rule_ids(self) -> list[str]:
        return [name_of(rule) for rule in RULES]

    def found(self, stacks: Sequence[Stack]) -> Iterator[PolicyViolation]:
        found = [item for item in violations(self._resources(stacks)) if not self._accepts(item)]
        found.sort(key=lambda item: (item.rule, item.message))
        for (rule, message), group in groupby(found, key=lambda item: (item.rule, item.message)):
            yield _violation(rule, message, list(group))

    def _resources(self, stacks: Sequence[Stack]) -> Resources:
        return Resources.of_stacks(stacks, known_accounts=self._known_accounts)

    def _accepts(self, item: Violation) -> bool:
        forms = (item.place, f"{item.place}: {item.message}")
        return any(fnmatchcase(form, pattern) for form in forms for pattern in self._accepted)


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
