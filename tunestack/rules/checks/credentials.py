"""A template must not hold a credential."""

from collections.abc import Iterator

from tunestack.definition.credentials import credential_in
from tunestack.rules.finding import Problem
from tunestack.template.resources import Resource, Resources
from tunestack.template.values import strings

KINDS: frozenset[str] | None = None


def check(resource: Resource, resources: Resources) -> Iterator[Problem]:
    # A definition's are found by its own policies.
    if resource.kind == "AWS::SageMaker::Pipeline":
        return
    for where, text in strings(resource.properties):
        if found := credential_in(text):
            yield where, f"holds what looks like a credential ({found[:4]}…)"
