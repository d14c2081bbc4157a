"""A role must be trusted by a service or by named principals: a whole account requires a condition on who of it."""

import re
from collections.abc import Iterator

from tunestack.rules.finding import Problem
from tunestack.template.resources import Resource, Resources
from tunestack.template.statement import ROLE, Statement, trust_statements
from tunestack.template.values import as_list, as_text

KINDS = frozenset({ROLE})
_OWN_ACCOUNT = re.compile(r"AWS::AccountId")
_ROLE_S_ARN = re.compile(r'\{"Fn::GetAtt": \["(?P<id>\w+)", "Arn"\]\}|\$\{(?P<name>\w+)\.Arn\}')
_NARROWING = frozenset(
    {"sts:externalid", "aws:principalorgid", "aws:principalorgpaths", "aws:principalaccount", "aws:principalarn"}
)


# Of this account, too: who of it.
_WHO = ("aws:principalarn", "aws:principaltag/", "aws:userid", "sts:externalid")
# Whom an identity provider speaks of: its audience alone is everybody whom it knows.
_SUBJECT = re.compile(r":sub$|^saml:")
# Of a value, what says nobody in particular: wildcards, and an ARN's parts before the name.
_ANYBODY = re.compile(r"(arn:(.*:)?)?(role/|user/|assumed-role/)?[*?/]*")
_TAKING_ON = frozenset(
    {
        "sts:AssumeRole", "sts:AssumeRoleWithWebIdentity", "sts:AssumeRoleWithSAML", "sts:TagSession",
        "sts:SetSourceIdentity", "sts:SetContext",
    }
)  # fmt: skip
_WHOLE_ACCOUNT = re.compile(r":root\b|^\d{12}$|^\$\{AWS::AccountId\}$")


def check(resource: Resource, resources: Resources) -> Iterator[Problem]:
    for statement in trust_statements(resource):
        if not statement.allows:
            continue
        yield from _other_actions(statement)
        for principal in statement.principals("AWS"):
            if principal == "*" and "aws:principalorgid" not in statement.conditions:
                yield f"{statement.where}.Principal", "anybody may take it on"
            elif not _is_ours(principal, resource, resources) and not _NARROWING & statement.conditions.keys():
                message = f"{principal} may take it on without a condition: ask for sts:ExternalId"
                yield f"{statement.where}.Principal", message
            elif _WHOLE_ACCOUNT.search(principal) and not _says_who(statement):
                message = "whoever the account's IAM lets may take it on: name them by aws:PrincipalArn or a tag"
                yield f"{statement.where}.Principal", message
        if statement.principals("Federated") and not any(_SUBJECT.search(key) for key in statement.conditions):
            yield f"{statement.where}.Principal", "whoever the identity provider knows may take it on"


def _other_actions(statement: Statement) -> Iterator[Problem]:
    if "NotAction" in statement.content or "NotPrincipal" in statement.content:
        yield f"{statement.where}", "allows by exclusion: name who may do what"
    for action in statement.actions:
        if action not in _TAKING_ON:
            yield (
                f"{statement.where}.Action",
                f"allows {action}: a role is taken on by sts:AssumeRole and its like",
            )


def _says_who(statement: Statement) -> bool:
    """Whether a condition says who of an account, and not anybody."""
    asked = [value for key, value in statement.conditions.items() if key.startswith(_WHO)]
    return any(not any(_ANYBODY.fullmatch(as_text(one)) for one in as_list(value)) for value in asked)


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
