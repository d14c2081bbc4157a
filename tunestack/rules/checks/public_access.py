"""A resource policy must not let everybody in."""

from collections.abc import Iterator

from tunestack.rules.finding import Problem
from tunestack.template.resources import Resource, Resources
from tunestack.template.statement import RESOURCE_POLICIES, resource_statements
from tunestack.template.values import as_text

KINDS = frozenset({*RESOURCE_POLICIES, "AWS::Lambda::Permission", "AWS::Lambda::Url"})
_NARROWING = frozenset(
    {
        "aws:principalorgid", "aws:principalaccount", "aws:principalarn", "aws:sourceaccount", "aws:sourcearn",
        "aws:sourcevpce", "aws:sourcevpc", "kms:calleraccount",
    }
)  # fmt: skip


_CALLS = frozenset({"lambda:InvokeFunction", "lambda:InvokeFunctionUrl"})


def check(resource: Resource, resources: Resources) -> Iterator[Problem]:
    for statement in resource_statements(resource):
        everybody = statement.principals("AWS") == ["*"] or "NotPrincipal" in statement.content
        if statement.allows and everybody and not _NARROWING & statement.conditions.keys():
            yield f"{statement.where}.Principal", "lets everybody in"
    if resource.kind == "AWS::Lambda::Permission":
        yield from _permission(resource)
    if resource.kind == "AWS::Lambda::Url" and resource.properties.get("AuthType") != "AWS_IAM":
        yield "AuthType", "must be AWS_IAM: anybody could call the function"


def _permission(resource: Resource) -> Iterator[Problem]:
    if as_text(resource.properties.get("Action")) not in _CALLS:
        yield "Action", f"must be one of {', '.join(sorted(_CALLS))}: others change the function"
    principal = resource.properties.get("Principal")
    narrowed = {"SourceArn", "SourceAccount", "PrincipalOrgID"} & resource.properties.keys()
    if principal == "*" or (str(principal).endswith(".amazonaws.com") and not narrowed):
        yield "Principal", f"{principal!r} may call the function for anybody: say SourceArn or SourceAccount"
