"""Who started the run that a version came from, as SageMaker has it, and who is asking now."""

from typing import Any

from botocore.exceptions import ClientError

from tunestack.aws import Aws
from tunestack.errors import UserError
from tunestack.executions.versions import Version
from tunestack.pipeline.promotion import SOURCE_VERSION_KEY

NOT_KNOWN = "not known"


def started_by(aws: Aws, version: Version) -> str | None:
    """Who started the execution that registered a version; None where nobody knows."""
    execution = version.metadata.get("pipeline_execution_id")
    if not execution:
        return None
    names = aws.settings.names
    pipeline = names.promotion if SOURCE_VERSION_KEY in version.metadata else names.pipeline
    arn = f"{version.arn.rpartition(':')[0]}:pipeline/{pipeline}/execution/{execution}"
    try:
        found: dict[str, Any] = aws.sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)  # type: ignore[assignment]
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("ResourceNotFound", "ResourceNotFoundException"):
            raise
        return None
    identity = found.get("CreatedBy", {}).get("IamIdentity", {})
    return identity.get("SourceIdentity") or _name(identity.get("Arn"))


def refuse_own_work(aws: Aws, version: Version) -> None:
    """See that who asks isn't who started the run that a version came from.

    A session is known by its name, which IAM Identity Center makes the user's; one that a program names anew each time
    can't be compared.

    Raises:
        UserError: it is the same.
    """
    starter = started_by(aws, version)
    if starter is not None and starter == _name(aws.client("sts").get_caller_identity()["Arn"]):
        raise UserError(
            f"version {version.number} came from a run that {starter} started, and nobody approves what they made: "
            "have somebody else look at it"
        )


def _name(arn: str | None) -> str | None:
    """The name of an IAM user, or of a role's session."""
    return arn.rpartition("/")[2] if arn else None
