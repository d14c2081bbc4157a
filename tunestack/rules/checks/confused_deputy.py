"""A role trusted by a service, and a policy that lets one in, requires aws:SourceAccount or aws:SourceArn."""

from collections.abc import Iterator

from tunestack.rules.finding import Problem
from tunestack.template.resources import Resource, Resources
from tunestack.template.statement import RESOURCE_POLICIES, ROLE, Statement, resource_statements, trust_statements
from tunestack.template.values import as_list, as_text

KINDS = frozenset({ROLE, *RESOURCE_POLICIES})
# Services that don't say it: a role that asks could never be taken on.
_SAY_NOTHING = frozenset({"lambda.amazonaws.com", "ec2.amazonaws.com"})
_ASKED = frozenset({"aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid", "kms:viaservice", "kms:calleraccount"})
_CONTEXT = "kms:encryptioncontext:"


def check(resource: Resource, resources: Resources) -> Iterator[Problem]:
    for statement in (*trust_statements(resource), *resource_statements(resource)):
        if statement.allows and not _says_for_whom(statement, resources):
            for service in sorted(set(statement.principals("Service")) - _SAY_NOTHING):
                message = f"{service} could be made to use it by another account: ask for aws:SourceAccount"
                yield f"{statement.where}.Condition", message


def _says_for_whom(statement: Statement, resources: Resources) -> bool:
    """Whether a condition says for whom the service acts, and that isn't anybody, nor an account that nobody knows."""
    asked = [value for key, value in statement.conditions.items() if key in _ASKED or key.startswith(_CONTEXT)]
    return any(not any(_is_anybody(as_text(one), resources) for one in as_list(value)) for value in asked)


def _is_anybody(value: str, resources: Resources) -> bool:
    return value.startswith("*") or bool(resources.strangers(value))
