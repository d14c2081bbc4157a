"""A bucket must refuse requests without TLS (a deny on aws:SecureTransport)."""

from collections.abc import Iterator

from tunestack.rules.finding import Problem
from tunestack.template.resources import Resource, Resources
from tunestack.template.statement import resource_statements

KINDS = frozenset({"AWS::S3::Bucket"})


def check(resource: Resource, resources: Resources) -> Iterator[Problem]:
    own = [
        statement
        for policy in resources.of_kind("AWS::S3::BucketPolicy")
        if policy.properties.get("Bucket") == {"Ref": resource.logical_id} and policy.template == resource.template
        for statement in resource_statements(policy)
    ]
    denied = (
        not statement.allows
        and str(statement.conditions.get("aws:securetransport")).lower() == "false"
        and statement.actions == ["s3:*"]
        for statement in own
    )
    if not any(denied):
        yield "BucketPolicy", "no statement denies s3:* without aws:SecureTransport"
