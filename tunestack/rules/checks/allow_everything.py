"""A policy must name the actions that it allows: not `*`, not a whole service, not by exclusion (NotAction)."""

from collections.abc import Iterator

from tunestack.rules.finding import Problem
from tunestack.template.resources import Resource, Resources
from tunestack.template.statement import IDENTITY_KINDS, identity_statements

KINDS = IDENTITY_KINDS


def check(resource: Resource, resources: Resources) -> Iterator[Problem]:
    for statement in identity_statements(resource):
        if not statement.allows:
            continue
        for action in statement.actions:
            if action == "*" or action.endswith(":*"):
                yield f"{statement.where}.Action", f"allows {action!r}: name the actions"
        for member in ("NotAction", "NotResource"):
            if member in statement.content:
                yield f"{statement.where}.{member}", "allows by exclusion: name what is allowed"
