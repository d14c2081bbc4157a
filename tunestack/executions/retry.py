"""Retry an execution: what failed or was stopped runs again, what succeeded stays."""

from uuid import uuid4

from botocore.exceptions import ClientError

from tunestack.aws import Aws
from tunestack.executions.advice import fails_again
from tunestack.executions.describe import ExecutionView, describe, find_execution
from tunestack.executions.errors import ExecutionError


def retry(aws: Aws, execution: str, *, anyway: bool = False) -> str:
    """Retry an execution by its id, its ARN, or `latest`; its ARN, which stays.

    Raises:
        ExecutionError: there is no such execution, it neither failed nor was stopped, or (but for `anyway`) its data
            are the reason, which a retry reads again.
    """
    arn = find_execution(aws, execution)
    if not anyway:
        _refuse_in_vain(describe(aws, arn))
    try:
        aws.sagemaker.retry_pipeline_execution(PipelineExecutionArn=arn, ClientRequestToken=uuid4().hex)
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("ConflictException", "ValidationException"):
            raise
        execution_id, reason = arn.rpartition("/")[2], error.response["Error"]["Message"]
        raise ExecutionError(f"execution {execution_id} can't be retried: {reason}") from None
    return arn


def _refuse_in_vain(view: ExecutionView) -> None:
    """
    Raises:
        ExecutionError: a step failed of what it was given.
    """
    for step in view.steps:
        if step.status == "Failed" and step.failure_reason and fails_again(step.failure_reason):
            raise ExecutionError(
                f"{step.name} would fail again, of what it is given: {step.failure_reason.strip()}\n"
                f"{step.advice}; then start another run. `--anyway` tries it all the same"
            )
