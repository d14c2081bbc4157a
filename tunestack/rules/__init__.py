"""The kit's own rules on synthesized templates, for what cdk-nag can't see: a job inside a definition above all.

Free of CDK, so that anything that has templates can use them; `tunestack_cdk.rule_pack` is CDK's plugin.
"""

from collections.abc import Iterator

from tunestack.definition.found_by_file import checks_in, name_of
from tunestack.rules import checks
from tunestack.rules.finding import Violation
from tunestack.template.resources import Resources

RULES = checks_in(checks.__name__, checks.__path__)


def violations(resources: Resources) -> Iterator[Violation]:
    """Everything in the resources that breaks a rule."""
    for rule in RULES:
        for resource in resources.all:
            if rule.KINDS is None or resource.kind in rule.KINDS:
                for where, message in rule.check(resource, resources):
                    yield Violation(
                        rule=name_of(rule), logical_id=resource.logical_id, template=resource.template,
                        where=where, message=message,
                    )  # fmt: skip
