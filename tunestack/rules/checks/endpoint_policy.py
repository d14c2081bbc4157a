"""A VPC endpoint requires a policy that names whose resources are reached through it (aws:ResourceAccount)."""

from collections.abc import Iterator

from tunestack.rules.finding import Problem
from tunestack.template.resources import Resource, Resources
from tunestack.template.statement import endpoint_statements

KINDS = frozenset({"AWS::EC2::VPCEndpoint"})
_OWNERS = {"aws:resourceaccount", "aws:resourceorgid", "aws:resourceorgpaths"}


def check(resource: Resource, resources: Resources) -> Iterator[Problem]:
    if resource.properties.get("PolicyDocument") is None:
        yield "PolicyDocument", "missing: data could leave to any account's resources"
    for statement in endpoint_statements(resource):
        if statement.allows and "*" in statement.resources and not _OWNERS & set(statement.conditions):
            yield f"{statement.where}.Condition", "reaches every account's resources: ask for aws:ResourceAccount"
