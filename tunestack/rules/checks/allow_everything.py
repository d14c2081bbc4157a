"""A policy must name the actions that it allows: not `*`, not a whole service, not by exclusion (NotAction)."""

from collections.abc import Iterator

from tunestack.rules.finding import Problem
from tunestack.template.resources import Resource, Resources
from tunestack.template.statement import (
    IDENTITY_KINDS,
    RESOURCE_POLICIES,
    Statement,
    identity_statements,
    resource_statements,
)

KINDS = frozenset({*IDENTITY_KINDS, *RESOURCE_POLICIES})


def check(resource: Resource, resources: Resources) -> Iterator[Problem]:
    for statement in (*identity_statements(resource), *resource_statements(resource)):
        if not statement.allows:
            continue
        for action in statement.actions:
            if (action == "*" or action.endswith(":*")) and not _is_a_key_s_own(resource, statement):
                yield f"{statement.where}.Action", f"allows {action!r}: name the actions"
        for member in ("NotAction", "NotResource"):
            if member in statement.content:
                yield f"{statement.where}.{member}", "allows by exclusion: name what is allowed"


def _is_a_key_s_own(resource: Resource, statement: Statement) -> bool:
    """A key is administered by its account: without this statement nobody could; key_policy looks whose it is."""
    return resource.kind == "AWS::KMS::Key" and bool(statement.principals("AWS"))
