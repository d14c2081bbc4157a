"""Stop an execution: its running jobs get SageMaker's grace period, and a training keeps its checkpoint."""

from uuid import uuid4

from botocore.exceptions import ClientError

from tunestack.aws import Aws
from tunestack.executions.describe import find_execution
from tunestack.executions.errors import ExecutionError


def stop(aws: Aws, execution: str) -> str:
    """Ask an execution, by its id, its ARN, or `latest`, to end; its ARN.

    Raises:
        ExecutionError: there is no such execution, or it has ended.
    """
    arn = find_execution(aws, execution)
    execution_id = arn.rpartition("/")[2]
    try:
        # A token of its own each time: a retried execution is stopped a second time.
        aws.sagemaker.stop_pipeline_execution(PipelineExecutionArn=arn, ClientRequestToken=uuid4().hex)
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("ConflictException", "ValidationException"):
            raise
        reason = error.response["Error"]["Message"]
        raise ExecutionError(f"execution {execution_id} can't be stopped: {reason}") from None
    return arn
