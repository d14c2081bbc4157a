"""A log group forgets after a while, and is encrypted with a key of yours."""

from collections.abc import Iterator

from tunestack.rules.finding import Problem
from tunestack.template.resources import Resource, Resources

KINDS = frozenset({"AWS::Logs::LogGroup"})


def check(resource: Resource, resources: Resources) -> Iterator[Problem]:
    for member in ("RetentionInDays", "KmsKeyId"):
        if member not in resource.properties:
            yield member, "missing"
