"""A bucket must refuse requests without TLS (a deny of everybody and everything on aws:SecureTransport)."""

from collections.abc import Iterator

from tunestack.rules.finding import Problem
from tunestack.rules.tls import denies_without_tls
from tunestack.template.resources import Resource, Resources
from tunestack.template.statement import resource_statements

KINDS = frozenset({"AWS::S3::Bucket"})


def check(resource: Resource, resources: Resources) -> Iterator[Problem]:
    policies = [
        policy
        for policy in resources.of_kind("AWS::S3::BucketPolicy")
        if policy.properties.get("Bucket") == {"Ref": resource.logical_id} and policy.template == resource.template
    ]
    # The bucket, and its objects.
    if not denies_without_tls(policies, "s3:*", resources=2):
        yield "BucketPolicy", "no statement denies s3:* without aws:SecureTransport, of the bucket and its objects"
    for statement in (item for policy in policies for item in resource_statements(policy)):
        if "s3:tlsversion" in statement.conditions and (statement.allows or statement.principals("AWS") != ["*"]):
            yield f"BucketPolicy.{statement.where}", "must deny old versions of TLS to everybody"
