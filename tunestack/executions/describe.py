"""Everything there is to know of an execution: its steps, with their jobs' inputs, outputs and reasons."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from tunestack.aws import Aws
from tunestack.definition.job_files import MODEL, files_read, files_written
from tunestack.definition.jobs import cluster_of
from tunestack.executions.advice import advice_for
from tunestack.executions.errors import ExecutionError
from tunestack.job_api import APIS, Api

ENDED = frozenset({"Succeeded", "Failed", "Stopped", "CompletedWithFailures"})


@dataclass(frozen=True, kw_only=True)
class StepView:
    """One step of an execution, as far as it has come. Times in seconds, moments in ISO 8601."""

    name: str
    status: str
    started: str | None
    seconds: float | None
    failure_reason: str | None
    advice: str | None
    job_kind: str | None
    job_name: str | None
    inputs: dict[str, str]
    outputs: dict[str, str]
    message: str | None
    instance_type: str | None
    billable_seconds: float | None
    metrics: dict[str, float]


@dataclass(frozen=True, kw_only=True)
class ExecutionView:
    """One execution with its steps in the order in which they were started."""

    id: str
    arn: str
    status: str
    started: str
    seconds: float
    failure_reason: str | None
    parameters: dict[str, str]
    steps: list[StepView]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def failed_step(self) -> StepView | None:
        """The first step that failed."""
        return next((step for step in self.steps if step.status == "Failed"), None)


def describe(aws: Aws, execution: str) -> ExecutionView:
    """An execution by its id, its ARN, or `latest`.

    Raises:
        ExecutionError: there is no such execution.
    """
    arn = find_execution(aws, execution)
    answer = aws.sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
    given = [
        item
        for page in aws.sagemaker.get_paginator("list_pipeline_parameters_for_execution").paginate(
            PipelineExecutionArn=arn
        )
        for item in page["PipelineParameters"]
    ]
    pages = aws.sagemaker.get_paginator("list_pipeline_execution_steps").paginate(
        PipelineExecutionArn=arn, SortOrder="Ascending"
    )
    steps = [_step_view(aws, step) for page in pages for step in page["PipelineExecutionSteps"]]
    status = answer["PipelineExecutionStatus"]
    end = answer["LastModifiedTime"] if status in ENDED else datetime.now(UTC)
    return ExecutionView(
        id=arn.rpartition("/")[2],
        arn=arn,
        status=status,
        started=answer["CreationTime"].isoformat(timespec="seconds"),
        seconds=round((end - answer["CreationTime"]).total_seconds(), 1),
        failure_reason=answer.get("FailureReason"),
        parameters={item["Name"]: item["Value"] for item in given},
        steps=steps,
    )


def list_executions(aws: Aws) -> Iterator[dict[str, Any]]:
    """The pipeline's executions, newest first, read a page at a time."""
    pages = aws.sagemaker.get_paginator("list_pipeline_executions").paginate(
        PipelineName=aws.pipeline_name, SortOrder="Descending"
    )
    for page in pages:
        for item in page["PipelineExecutionSummaries"]:
            yield {
                "id": item["PipelineExecutionArn"].rpartition("/")[2],
                "status": item["PipelineExecutionStatus"],
                "started": item["StartTime"].isoformat(timespec="seconds"),
                "arn": item["PipelineExecutionArn"],
            }


def find_execution(aws: Aws, execution: str) -> str:
    """The ARN of an execution given by its id, its ARN, or `latest`.

    Raises:
        ExecutionError: there is no such execution.
    """
    if f":pipeline/{aws.pipeline_name}/execution/" in execution:
        return execution
    latest = None
    for item in list_executions(aws):
        latest = latest or item["id"]
        if execution in ("latest", item["id"], item["arn"]):
            arn: str = item["arn"]
            return arn
    if latest is None:
        raise ExecutionError(f"{aws.pipeline_name} has no executions yet; start one with `tunestack run`")
    raise ExecutionError(f"no execution {execution!r}; `tunestack executions` lists them, the latest is {latest}")


def _step_view(aws: Aws, step: dict[str, Any]) -> StepView:
    metadata = step.get("Metadata", {})
    api = next((api for api in APIS if api.noun in metadata), None)
    name = metadata[api.noun]["Arn"].rpartition("/")[2] if api else None
    job = _describe_job(aws, api, name) if api and name else {}
    start, end = step.get("StartTime"), step.get("EndTime")
    reason = step.get("FailureReason") or metadata.get("Fail", {}).get("ErrorMessage")
    finish = end or datetime.now(UTC)
    return StepView(
        name=step["StepName"],
        status=step["StepStatus"],
        started=start.isoformat(timespec="seconds") if start else None,
        seconds=round((finish - start).total_seconds(), 1) if start else None,
        failure_reason=reason,
        advice=advice_for(reason or step["StepStatus"]) if step["StepStatus"] in ("Failed", "Stopped") else None,
        job_kind=api.noun if api else None,
        job_name=name,
        inputs={item.name: item.uri for item in files_read(job)},
        outputs=_outputs(job, metadata),
        message=job.get("ExitMessage") or (metadata.get("Condition") or {}).get("Outcome"),
        instance_type=cluster_of(api, job).get("InstanceType") if api else None,
        billable_seconds=_billable_seconds(api, job) if api else None,
        metrics={item["MetricName"]: item["Value"] for item in job.get("FinalMetricDataList", [])},
    )


def _describe_job(aws: Aws, api: Api, name: str) -> dict[str, Any]:
    describe_job = getattr(aws.sagemaker, f"describe_{api.resource.replace('-', '_')}")
    try:
        described: dict[str, Any] = describe_job(**{f"{api.noun}Name": name})
    except ClientError as error:
        if error.response["Error"]["Code"] in ("ResourceNotFound", "ValidationException"):
            # Deleted since.
            return {}
        raise
    return described


def _billable_seconds(api: Api, job: dict[str, Any]) -> float | None:
    """What SageMaker bills: a training's own figure (spot's is less than its time), else from start to end."""
    if "BillableTimeInSeconds" in job:
        return float(job["BillableTimeInSeconds"])
    began, ended = job.get(f"{api.step_type}StartTime"), job.get(f"{api.step_type}EndTime")
    return float((ended - began).total_seconds()) if began and ended else None


def _outputs(job: dict[str, Any], metadata: dict[str, Any]) -> dict[str, str]:
    # Of a model it is known where it lies once it is there.
    outputs = {item.name: item.uri for item in files_written(job) if item.name != MODEL}
    if "ModelArtifacts" in job:
        outputs[MODEL] = job["ModelArtifacts"]["S3ModelArtifacts"]
    for kind in ("Model", "RegisterModel"):
        if kind in metadata:
            outputs[kind] = metadata[kind]["Arn"]
    return outputs
