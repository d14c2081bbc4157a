"""A role must be trusted by a service or by principals of this account; by others under a condition only."""

import re
from collections.abc import Iterator

from tunestack.rules.finding import Problem
from tunestack.template.resources import Resource, Resources
from tunestack.template.statement import ROLE, trust_statements

KINDS = frozenset({ROLE})
_OWN_ACCOUNT = re.compile(r"AWS::AccountId")
_ROLE_S_ARN = re.compile(r'\{"Fn::GetAtt": \["(?P<id>\w+)", "Arn"\]\}|\$\{(?P<name>\w+)\.Arn\}')
_NARROWING = frozenset(
    {"sts:externalid", "aws:principalorgid", "aws:principalorgpaths", "aws:principalaccount", "aws:principalarn"}
)


def check(resource: Resource, resources: Resources) -> Iterator[Problem]:
    for statement in trust_statements(resource):
        if not statement.allows:
            continue
        for principal in statement.principals("AWS"):
            if principal == "*" and "aws:principalorgid" not in statement.conditions:
                yield f"{statement.where}.Principal", "anybody may take it on"
            elif not _is_ours(principal, resource, resources) and not _NARROWING & statement.conditions.keys():
                message = f"{principal} may take it on without a condition: ask for sts:ExternalId"
                yield f"{statement.where}.Principal", message
        if statement.principals("Federated") and not statement.conditions:
            yield f"{statement.where}.Principal", "whoever the identity provider knows may take it on"


def _is_ours(principal: str, resource: Resource, resources: Resources) -> bool:
    """Whether a principal is of this account: by its number's reference, or as a role of the same template."""
    role = _ROLE_S_ARN.fullmatch(principal)
    return bool(_OWN_ACCOUNT.search(principal)) or (
        role is not None
        and any(
            other.template == resource.template and other.logical_id in role.groups()
            for other in resources.of_kind(ROLE, "AWS::IAM::User")
        )
    )
