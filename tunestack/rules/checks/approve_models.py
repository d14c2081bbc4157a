"""No role of the machinery approves a version: people do."""

from collections.abc import Iterator

from tunestack.rules.assembly import Assembly, Resource
from tunestack.rules.finding import Problem
from tunestack.rules.statements import IDENTITY_KINDS, identity_statements

KINDS = IDENTITY_KINDS


def check(resource: Resource, assembly: Assembly) -> Iterator[Problem]:
    for statement in identity_statements(resource):
        for action in statement.may("sagemaker:UpdateModelPackage") if statement.allows else ():
            yield f"{statement.where}.Action", f"allows {action}: this role could approve its own model"
