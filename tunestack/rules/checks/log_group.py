"""A log group requires a retention period and a KMS key of yours."""

from collections.abc import Iterator

from tunestack.rules.finding import Problem
from tunestack.template.resources import Resource, Resources

KINDS = frozenset({"AWS::Logs::LogGroup"})


def check(resource: Resource, resources: Resources) -> Iterator[Problem]:
    for member in ("RetentionInDays", "KmsKeyId"):
        if member not in resource.properties:
            yield member, "missing"
