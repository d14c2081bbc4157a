"""The kinds of values that settings have: each refuses what AWS would, and says what would be right."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from tunestack.catalogue.regions import REGIONS
from tunestack.errors import nearest
from tunestack.settings.forms import form


def known_region(name: str) -> str:
    if name not in REGIONS:
        raise ValueError(f"no region {name!r} has SageMaker; {nearest(name, REGIONS)}")
    return name


def _not_aws_own(key: str) -> str:
    if key.lower().startswith("aws:"):
        raise ValueError(f"a tag must not begin with aws:, which is AWS's own, got {key!r}")
    return key


def each_once(items: list[str]) -> list[str]:
    if twice := next((item for index, item in enumerate(items) if item in items[:index]), None):
        raise ValueError(f"names {twice!r} twice")
    return items


def _days(value: object) -> object:
    # To Python true is 1 and 14.0 is 14; to a reader of the file they aren't.
    if isinstance(value, (bool, float)):
        raise ValueError(f"must be a whole number of days, got {value}")
    return value


def no_key_in_two_spellings(tags: dict[str, str]) -> dict[str, str]:
    by_lower: dict[str, str] = {}
    for key in tags:
        if other := by_lower.get(key.lower()):
            raise ValueError(f"{other!r} and {key!r} are one key to IAM, which doesn't look at case")
        by_lower[key.lower()] = key
    return tags


Account = Annotated[str, form(r"^[0-9]{12}$", "must be an AWS account's 12 digits, in quotes")]
# What may stand in a tag: "Tag naming limits and requirements" of the AWS Tagging guide.
TagKey = Annotated[
    str,
    form(r"^[\p{L}\p{N} _.:/=+\-@]+$", "must have letters, digits, spaces and _ . : / = + - @", max_length=128),
    AfterValidator(_not_aws_own),
]
TagValue = Annotated[
    str,
    form(r"^[\p{L}\p{N} _.:/=+\-@]*$", "must have letters, digits, spaces and _ . : / = + - @", max_length=256),
]
Days = Annotated[int, Field(ge=1, le=3_650)]
RoleArn = Annotated[
    str, form(r"^arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9_+=,.@/-]{1,512}$", "must be a role's whole ARN")
]
# A pattern, as ArnLike takes it: what IAM Identity Center makes has an end of its own.
PersonArn = Annotated[
    str,
    form(
        r"^arn:aws[a-z-]*:iam::[0-9]{12}:(role|user)/[A-Za-z0-9_+=,.@/-]*[A-Za-z0-9_+=,.@-]\*?$",
        "must be the ARN of a role or a user, and may end in *",
        max_length=512,
    ),
]
# "IAM identifiers" of the IAM guide.
BoundaryName = Annotated[
    str,
    form(
        r"^([A-Za-z0-9_+=,.@-]+/)*[A-Za-z0-9_+=,.@-]{1,128}$",
        "must be the name of an IAM policy, after its path if it has one (landing-zone/TeamBoundary), no ARN",
        max_length=512,
    ),
]
RolePath = Annotated[
    str, form(r"^/([A-Za-z0-9_+=,.@-]+/)*$", "must begin and end with '/', as in /teams/ml/", max_length=100)
]
Qualifier = Annotated[str, form(r"^[a-z0-9]{1,10}$", "must have 1 to 10 lower-case letters and digits")]
# What `cdk bootstrap` takes by itself.
CDK_QUALIFIER = "hnb659fds"
RETENTION_DAYS = Annotated[
    Literal[1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1827, 3653], BeforeValidator(_days)
]
