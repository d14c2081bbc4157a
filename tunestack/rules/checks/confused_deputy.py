"""A role trusted by a service requires aws:SourceAccount or aws:SourceArn."""

from collections.abc import Iterator

from tunestack.rules.finding import Problem
from tunestack.template.resources import Resource, Resources
from tunestack.template.statement import ROLE, trust_statements

KINDS = frozenset({ROLE})
# Services that don't say it: a role that asks could never be taken on.
_SAY_NOTHING = frozenset({"lambda.amazonaws.com", "ec2.amazonaws.com"})
_ASKED = frozenset({"aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid"})


def check(resource: Resource, resources: Resources) -> Iterator[Problem]:
    for statement in trust_statements(resource):
        if statement.allows and not _ASKED & statement.conditions.keys():
            for service in sorted(set(statement.principals("Service")) - _SAY_NOTHING):
                message = f"{service} could be made to use it by another account: ask for aws:SourceAccount"
                yield f"{statement.where}.Condition", message
