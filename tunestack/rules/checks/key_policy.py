"""A KMS key must be administered by its own account, rotate every year, and wait before it is deleted."""

from collections.abc import Iterator

from tunestack.rules.finding import Problem
from tunestack.template.resources import Resource, Resources
from tunestack.template.statement import resource_statements
from tunestack.template.values import as_text, is_true

KINDS = frozenset({"AWS::KMS::Key"})


def check(resource: Resource, resources: Resources) -> Iterator[Problem]:
    for statement in resource_statements(resource):
        if not statement.allows:
            continue
        own = [f for f in statement.principals("AWS") if "AWS::AccountId" not in f]
        if any(action in ("kms:*", "*") for action in statement.actions) and own:
            yield f"{statement.where}.Principal", f"{', '.join(own)} may do everything with the key"
        if statement.principals("Service") and not statement.conditions:
            yield f"{statement.where}.Condition", "a service may use the key for anybody: ask for the account"
    if not is_true(resource.properties.get("EnableKeyRotation")):
        yield "EnableKeyRotation", "must be true"
    if as_text(resource.properties.get("PendingWindowInDays")) in {"1", "2", "3", "4", "5", "6"}:
        yield "PendingWindowInDays", "must be at least 7: a deleted key takes its data with it"
