"""A log group forgets after a while, and is encrypted with a key of yours."""

from collections.abc import Iterator

from tunestack.rules.assembly import Assembly, Resource
from tunestack.rules.finding import Problem

KINDS = frozenset({"AWS::Logs::LogGroup"})


def check(resource: Resource, assembly: Assembly) -> Iterator[Problem]:
    for member in ("RetentionInDays", "KmsKeyId"):
        if member not in resource.properties:
            yield member, "missing"
