"""The versions in an environment's model package group: looked at, approved, rejected, deleted."""

from collections.abc import Iterator
from dataclasses import dataclass

from botocore.exceptions import ClientError

from tunestack.aws import Aws, NotDeployedError
from tunestack.errors import UserError

APPROVED, REJECTED = "Approved", "Rejected"
# Of the API's ApprovalDescription, in characters.
MAX_REASON = 1024


@dataclass(frozen=True, kw_only=True)
class Version:
    """One registered version; `metadata` is what the pipeline wrote when it registered it."""

    number: int
    arn: str
    approval: str
    approval_reason: str | None
    created: str
    model_data_url: str
    image_uri: str
    evaluation_uri: str | None
    metadata: dict[str, str]


def list_versions(aws: Aws) -> Iterator[Version]:
    """The registered versions, newest first.

    Raises:
        NotDeployedError: there is no group.
    """
    pages = aws.sagemaker.get_paginator("list_model_packages").paginate(
        ModelPackageGroupName=aws.model_package_group_name, SortBy="CreationTime", SortOrder="Descending"
    )
    try:
        arns = [item["ModelPackageArn"] for page in pages for item in page["ModelPackageSummaryList"]]
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("ResourceNotFound", "ValidationException"):
            raise
        command = f"cdk deploy --all -c env={aws.settings.name}"
        name = aws.model_package_group_name
        raise NotDeployedError(f"no model package group {name!r}: deploy it with `{command}`") from None
    yield from sorted((_describe(aws, arn) for arn in arns), key=lambda version: -version.number)


def find_version(aws: Aws, wanted: str) -> Version:
    """A version by its number, its ARN, or `latest`.

    Raises:
        UserError: there is none.
    """
    found = list(list_versions(aws))
    if not found:
        raise UserError(f"{aws.model_package_group_name} has no version yet; a run that passes its gate registers one")
    for version in found:
        if wanted in ("latest", str(version.number), version.arn):
            return version
    numbers = ", ".join(str(version.number) for version in reversed(found))
    raise UserError(f"no version {wanted!r} of {aws.model_package_group_name}; there are {numbers}")


def decide(aws: Aws, version: Version, approval: str, *, reason: str | None) -> None:
    """Approve or reject a version; the reason stays with it.

    Raises:
        UserError: the reason is too long, or the version is decided so already.
    """
    if version.approval == approval:
        raise UserError(f"version {version.number} is {approval} already")
    if reason is not None and len(reason) > MAX_REASON:
        raise UserError(f"a reason has at most {MAX_REASON} characters, got {len(reason):,}")
    described = {"ApprovalDescription": reason} if reason else {}
    aws.sagemaker.update_model_package(
        ModelPackageArn=version.arn,
        ModelApprovalStatus=approval,  # type: ignore[arg-type]
        **described,  # type: ignore[arg-type]
    )


def delete_versions(aws: Aws) -> list[str]:
    """Delete every registered version of an environment that may delete its data; their ARNs.

    CloudFormation can't delete a group that has versions: without this, `cdk destroy` leaves it behind.

    Raises:
        UserError: the environment keeps its data.
    """
    refuse_where_data_is_kept(aws, "the versions")
    found = [version.arn for version in list_versions(aws)]
    for arn in found:
        aws.sagemaker.delete_model_package(ModelPackageName=arn)
    return found


def refuse_where_data_is_kept(aws: Aws, what: str) -> None:
    """See that an environment may lose what it holds.

    Raises:
        UserError: it keeps its data.
    """
    if not aws.settings.deletes_data:
        raise UserError(
            f"{aws.settings.file}: {what} of {aws.settings.name} are kept: only dev and local may delete data, "
            "with storage.delete_data_on_destroy: true"
        )


def _describe(aws: Aws, arn: str) -> Version:
    answer = aws.sagemaker.describe_model_package(ModelPackageName=arn)
    container = answer["InferenceSpecification"]["Containers"][0]
    return Version(
        number=answer["ModelPackageVersion"],
        arn=arn,
        approval=answer["ModelApprovalStatus"],
        approval_reason=answer.get("ApprovalDescription"),
        created=answer["CreationTime"].isoformat(timespec="seconds"),
        model_data_url=container["ModelDataUrl"],
        image_uri=container["Image"],
        evaluation_uri=answer.get("ModelMetrics", {}).get("ModelQuality", {}).get("Statistics", {}).get("S3Uri"),
        metadata=dict(answer.get("CustomerMetadataProperties", {})),
    )
