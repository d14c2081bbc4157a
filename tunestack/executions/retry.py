"""Retry an execution: what failed or was stopped runs again, what succeeded stays."""

from uuid import uuid4

from botocore.exceptions import ClientError

from tunestack.aws import Aws
from tunestack.executions.describe import find_execution
from tunestack.executions.errors import ExecutionError


def retry(aws: Aws, execution: str) -> str:
    """Retry an execution by its id, its ARN, or `latest`; its ARN, which stays.

    Raises:
        ExecutionError: there is no such execution, or it neither failed nor was stopped.
    """
    arn = find_execution(aws, execution)
    try:
        aws.sagemaker.retry_pipeline_execution(PipelineExecutionArn=arn, ClientRequestToken=uuid4().hex)
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("ConflictException", "ValidationException"):
            raise
        execution_id, reason = arn.rpartition("/")[2], error.response["Error"]["Message"]
        raise ExecutionError(f"execution {execution_id} can't be retried: {reason}") from None
    return arn
