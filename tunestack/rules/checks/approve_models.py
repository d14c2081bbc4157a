"""No role of the machinery approves a version: people do."""

from collections.abc import Iterator
from fnmatch import fnmatchcase

from tunestack.rules.assembly import Assembly, Resource
from tunestack.rules.finding import Problem
from tunestack.rules.statements import IDENTITY_KINDS, identity_statements

KINDS = IDENTITY_KINDS
_APPROVING = "sagemaker:updatemodelpackage"


def check(resource: Resource, assembly: Assembly) -> Iterator[Problem]:
    for statement in identity_statements(resource):
        for action in statement.actions if statement.allows else ():
            if fnmatchcase(_APPROVING, action.lower()):
                yield f"{statement.where}.Action", f"allows {action}: this role could approve its own model"
