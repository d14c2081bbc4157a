"""iam:PassRole must name the roles, and the service that they are passed to (iam:PassedToService)."""

import fnmatch
from collections.abc import Iterator

from tunestack.rules.finding import Problem
from tunestack.template.resources import Resource, Resources
from tunestack.template.statement import IDENTITY_KINDS, identity_statements

KINDS = IDENTITY_KINDS


def check(resource: Resource, resources: Resources) -> Iterator[Problem]:
    for statement in identity_statements(resource):
        passes = any(fnmatch.fnmatchcase("iam:passrole", action.lower()) for action in statement.actions)
        if not statement.allows or not passes:
            continue
        if "iam:passedtoservice" not in statement.conditions:
            yield f"{statement.where}.Condition", "iam:PassRole without iam:PassedToService: any service could get it"
        if any("*" in role for role in statement.resources):
            yield f"{statement.where}.Resource", "iam:PassRole of roles that aren't named"
