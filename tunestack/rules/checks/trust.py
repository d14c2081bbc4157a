"""A role is taken on by a service, or by principals of this account; by others only under a condition."""

import re
from collections.abc import Iterator

from tunestack.rules.assembly import Assembly, Resource
from tunestack.rules.finding import Problem
from tunestack.rules.statements import ROLE, trust_statements

KINDS = frozenset({ROLE})
_OWN = re.compile(r"AWS::AccountId")
_NARROWING = frozenset({"sts:externalid", "aws:principalorgid", "aws:principalorgpaths", "aws:principalaccount"})


def check(resource: Resource, assembly: Assembly) -> Iterator[Problem]:
    for statement in trust_statements(resource):
        if not statement.allows:
            continue
        for principal in statement.principals("AWS"):
            if principal == "*" and "aws:principalorgid" not in statement.conditions:
                yield f"{statement.where}.Principal", "anybody may take it on"
            elif not _OWN.search(principal) and not _NARROWING & statement.conditions.keys():
                message = f"{principal} may take it on without a condition: ask for sts:ExternalId"
                yield f"{statement.where}.Principal", message
        if statement.principals("Federated") and not statement.conditions:
            yield f"{statement.where}.Principal", "whoever the identity provider knows may take it on"
