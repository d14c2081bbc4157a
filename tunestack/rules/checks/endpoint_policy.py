"""A VPC endpoint requires a policy on whose resources and whose credentials may pass it, and a security group."""

from collections.abc import Iterator

from tunestack.rules.finding import Problem
from tunestack.template.resources import Resource, Resources
from tunestack.template.statement import Statement, endpoint_statements
from tunestack.template.values import as_list, as_text

KINDS = frozenset({"AWS::EC2::VPCEndpoint"})
_OWNERS = {"aws:resourceaccount", "aws:resourceorgid", "aws:resourceorgpaths"}
_CALLERS = {"aws:principalaccount", "aws:principalorgid", "aws:principalorgpaths", "aws:principalarn"}
_ACCOUNTS = {"aws:resourceaccount", "aws:principalaccount"}


def check(resource: Resource, resources: Resources) -> Iterator[Problem]:
    if resource.properties.get("PolicyDocument") is None:
        yield "PolicyDocument", "missing: data could leave to any account's resources"
    for statement in endpoint_statements(resource):
        if not statement.allows:
            continue
        if {"NotAction", "NotResource", "NotPrincipal"} & statement.content.keys():
            yield statement.where, "allows by exclusion: name what is allowed"
        if _reaches_everything(statement) and not _OWNERS & set(statement.conditions):
            yield f"{statement.where}.Condition", "reaches every account's resources: ask for aws:ResourceAccount"
        for key, value in statement.conditions.items():
            for owner in map(as_text, as_list(value)):
                if key in _ACCOUNTS and (owner.startswith("*") or resources.strangers(owner)):
                    yield f"{statement.where}.Condition", f"{key} is {owner}, which isn't one of the known accounts"
    if resource.properties.get("VpcEndpointType") == "Interface":
        if not all(_CALLERS & item.conditions.keys() for item in endpoint_statements(resource) if item.allows):
            yield "PolicyDocument", "takes anybody's credentials: ask for aws:PrincipalAccount"
        if not as_list(resource.properties.get("SecurityGroupIds")):
            yield "SecurityGroupIds", "missing: the VPC's default group would guard it"


def _reaches_everything(statement: Statement) -> bool:
    return not statement.resources or "*" in statement.resources
