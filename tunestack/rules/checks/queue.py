"""A queue must be encrypted, and refuse requests without TLS."""

from collections.abc import Iterator

from tunestack.rules.finding import Problem
from tunestack.rules.tls import denies_without_tls
from tunestack.template.resources import Resource, Resources
from tunestack.template.values import as_list, is_true

KINDS = frozenset({"AWS::SQS::Queue"})


def check(resource: Resource, resources: Resources) -> Iterator[Problem]:
    properties = resource.properties
    # Queues are encrypted with SQS's own key unless that is switched off.
    if not is_true(properties.get("SqsManagedSseEnabled", True)) and not properties.get("KmsMasterKeyId"):
        yield "SqsManagedSseEnabled", "must be true, or KmsMasterKeyId a key of yours: messages would lie in clear"
    policies = [
        policy
        for policy in resources.of_kind("AWS::SQS::QueuePolicy")
        if policy.template == resource.template
        and {"Ref": resource.logical_id} in as_list(policy.properties.get("Queues"))
    ]
    if not denies_without_tls(policies, "sqs:*"):
        yield "QueuePolicy", "no statement denies sqs:* without aws:SecureTransport"
