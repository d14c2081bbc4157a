"""Another account may be given reads of named things alone: no write, no management, nothing whole."""

import re
from collections.abc import Iterator

from tunestack.rules.finding import Problem
from tunestack.template.resources import Resource, Resources
from tunestack.template.statement import RESOURCE_POLICIES, Statement, resource_statements, statements_of
from tunestack.template.values import as_list, as_text

_BUS = "AWS::Events::EventBusPolicy"
KINDS = frozenset({*RESOURCE_POLICIES, _BUS, "AWS::Lambda::Permission"})
# What an account may be let do from outside: each reads, tells a bus, or makes a model of its own from a version.
_ALLOWED = frozenset(
    {
        "ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:DescribeImages", "ecr:DescribeImageScanFindings",
        "ecr:DescribeImageSigningStatus", "ecr:GetDownloadUrlForLayer", "events:PutEvents", "kms:Decrypt",
        "kms:DescribeKey", "s3:GetObject", "s3:ListBucket", "sagemaker:CreateModel", "sagemaker:DescribeModelPackage",
        "sagemaker:DescribeModelPackageGroup", "sagemaker:ListModelPackages",
    }
)  # fmt: skip
# Action → the condition key that bounds it.
_BOUNDED_BY = {"s3:ListBucket": "s3:prefix", "kms:Decrypt": "kms:viaservice"}
# What a whole account may do: tell something, and pull images, which hold no data and run under roles of any name.
_OF_A_WHOLE_ACCOUNT = frozenset(
    {
        "events:PutEvents",
        "ecr:BatchCheckLayerAvailability",
        "ecr:BatchGetImage",
        "ecr:DescribeImages",
        "ecr:GetDownloadUrlForLayer",
    }
)
_WHOLE_ACCOUNT = re.compile(r":root$|^\d{12}$|^\*$")
_WHO = frozenset({"aws:principalarn", "aws:principalorgid", "aws:userid"})
_ACCOUNT = re.compile(r"(?<!\d)\d{12}(?!\d)")


def check(resource: Resource, resources: Resources) -> Iterator[Problem]:
    if resource.kind == "AWS::Lambda::Permission":
        if _ACCOUNT.search(str(resource.properties.get("Principal"))):
            yield "Principal", "lets another account call the function"
        return
    for statement in _statements(resource):
        if statement.allows and _is_foreign(statement):
            yield from _problems(statement)
            yield from _who(statement, resources)


def _statements(resource: Resource) -> Iterator[Statement]:
    if resource.kind == _BUS:
        yield from statements_of({"Statement": [resource.properties.get("Statement")]}, "EventBusPolicy")
    else:
        yield from resource_statements(resource)


def _is_foreign(statement: Statement) -> bool:
    """Whether it lets in an account that is named by its number, or whoever meets its conditions."""
    return any(one == "*" or _ACCOUNT.search(one) for one in statement.principals("AWS"))


def _problems(statement: Statement) -> Iterator[Problem]:
    for member in ("NotAction", "NotResource", "NotPrincipal"):
        if member in statement.content:
            yield (
                f"{statement.where}.{member}",
                "lets another account do everything but what is named: name what it may",
            )
    for action in statement.actions:
        if action not in _ALLOWED:
            yield f"{statement.where}.Action", f"lets another account do {action}, which isn't one of the known reads"
        key = _BOUNDED_BY.get(action)
        if key and "*" in as_list(statement.conditions.get(key, "*")):
            yield f"{statement.where}.Condition", f"lets another account do {action} without a condition on {key}"
    if "s3:GetObject" in statement.actions and any(map(_is_whole, statement.resources)):
        yield f"{statement.where}.Resource", "lets another account read the whole bucket: name the prefixes"


def _who(statement: Statement, resources: Resources) -> Iterator[Problem]:
    asked = " ".join(as_text(value) for value in statement.conditions.values())
    for principal in (*statement.principals("AWS"), *asked.split()):
        for account in resources.strangers(principal.strip('[]",')):
            yield f"{statement.where}.Principal", f"lets in account {account}, which isn't one of the known accounts"
    narrowed = _WHO & statement.conditions.keys() or _OF_A_WHOLE_ACCOUNT.issuperset(statement.actions)
    for principal in () if narrowed else statement.principals("AWS"):
        if _WHOLE_ACCOUNT.search(principal):
            who = (_ACCOUNT.search(principal) or ["anybody"])[0]
            yield f"{statement.where}.Condition", f"lets in the whole of {who}: name who of it by aws:PrincipalArn"


def _is_whole(resource: str) -> bool:
    """Whether objects of any name are meant: no prefix stands behind the bucket, or it begins with a wildcard."""
    _, slash, path = resource.partition("/")
    return not slash or path.startswith(("*", "?"))
