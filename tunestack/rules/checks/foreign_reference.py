"""A resource must not name another account's key, role, image, queue or target, unless that account is known."""

from collections.abc import Iterator

from tunestack.rules.finding import Problem
from tunestack.template.resources import Resource, Resources
from tunestack.template.values import strings

KINDS = None
# Whom these let in is foreign_access', trust's and endpoint_policy's to judge; what the jobs name is pipeline_jobs'.
_POLICIES = (
    "PolicyDocument", "Policies", "KeyPolicy", "RepositoryPolicyText", "ModelPackageGroupPolicy", "ResourcePolicy",
    "AssumeRolePolicyDocument", "Statement",
)  # fmt: skip


def check(resource: Resource, resources: Resources) -> Iterator[Problem]:
    for member, value in resource.properties.items():
        if member in _POLICIES:
            continue
        for where, text in strings(value, member):
            for account in resources.strangers(text):
                yield where, f"names account {account}, which isn't one of the known accounts"
