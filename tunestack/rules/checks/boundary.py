"""Where one role of an account has a permissions boundary, every role there must have it."""

from collections.abc import Iterator

from tunestack.rules.finding import Problem
from tunestack.template.resources import Resource, Resources
from tunestack.template.values import as_text

KINDS = frozenset({"AWS::IAM::Role"})
_MEMBER = "PermissionsBoundary"


def check(resource: Resource, resources: Resources) -> Iterator[Problem]:
    others = {
        as_text(role.properties[_MEMBER])
        for role in resources.of_kind(*KINDS)
        if _MEMBER in role.properties and role.account == resource.account
    }
    own = as_text(resource.properties[_MEMBER]) if _MEMBER in resource.properties else None
    if own is None and others:
        yield _MEMBER, "missing: the other roles have one"
    elif len(others) > 1:
        yield _MEMBER, f"roles have different ones: {', '.join(sorted(others))}"
