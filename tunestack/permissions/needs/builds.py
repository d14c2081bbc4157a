"""A build takes its source, writes its log, pulls what it builds on, and pushes its image."""

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from tunestack.permissions.access import Access
from tunestack.permissions.needs.common import log_written, taken_on
from tunestack.permissions.world import World
from tunestack.template.assembly import Stack

_PUSH = (
    "BatchCheckLayerAvailability", "BatchGetImage", "CompleteLayerUpload", "GetDownloadUrlForLayer",
    "InitiateLayerUpload", "PutImage", "UploadLayerPart",
)  # fmt: skip
_SIGN = ("signer:SignPayload", "signer:GetSigningProfile")


def scripted_roles(world: World) -> Iterator[str]:
    """The roles of builds that push no image: what their scripts need is known to nobody here."""
    for _, _, properties in world.resources("AWS::CodeBuild::Project"):
        if not _repository(properties):
            yield str(properties.get("ServiceRole"))


def needs(world: World) -> Iterator[Access]:
    """What each build project needs."""
    for stack, logical_id, properties in world.resources("AWS::CodeBuild::Project"):
        by, role = f"{stack.name}: build {logical_id}", properties["ServiceRole"]
        yield from taken_on(world, by, role, "codebuild.amazonaws.com")
        if log := properties.get("LogsConfig", {}).get("CloudWatchLogs", {}).get("GroupName"):
            yield from log_written(stack, by, role, log)
        for action, resource in (*_pushed(world, stack, properties), *_source(stack, properties["Source"])):
            yield Access(by=by, principal=role, action=action, resource=resource)


def _pushed(world: World, stack: Stack, properties: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    repository = _repository(properties)
    if not repository:
        return
    for action in _PUSH:
        yield f"ecr:{action}", f"arn:{stack.partition}:ecr:{stack.region}:{stack.account}:repository/{repository}"
    yield "ecr:GetAuthorizationToken", "*"
    for profile in _signing(world, stack, repository):
        yield from ((action, profile) for action in _SIGN)


def _repository(properties: Mapping[str, Any]) -> str:
    """The repository that a build pushes to, or nothing."""
    variables = {item["Name"]: str(item["Value"]) for item in properties["Environment"].get("EnvironmentVariables", [])}
    return variables.get("REPOSITORY_URI", "").partition("/")[2]


def _signing(world: World, stack: Stack, repository: str) -> Iterator[str]:
    """The profiles that a push to a repository is signed by."""
    for owner, _, properties in world.resources("AWS::ECR::SigningConfiguration"):
        for rule in properties["Rules"] if (owner.account, owner.region) == (stack.account, stack.region) else ():
            filters = [item["Filter"] for item in rule.get("RepositoryFilters", [{"Filter": "*"}])]
            if any(fnmatchcase(repository, pattern) for pattern in filters):
                yield rule["SigningProfileArn"]


def _source(stack: Stack, source: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    bucket, _, key = (source.get("Location", "") if source.get("Type") == "S3" else "").partition("/")
    if key:
        yield "s3:GetObject", f"arn:{stack.partition}:s3:::{bucket}/{key}"
        yield "s3:GetBucketLocation", f"arn:{stack.partition}:s3:::{bucket}"
