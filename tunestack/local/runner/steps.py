"""One step of an execution: the request that it makes, and how it ends."""

import re
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol

from botocore.exceptions import ClientError

from tunestack.definition.jobs import api_of
from tunestack.definition.scope import NoValueError, Scope
from tunestack.local.runner.errors import ApiError, JobFailure, JobStopped

POLL_SECONDS = 0.1
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "Equals": lambda left, right: left == right,
    "GreaterThan": lambda left, right: left > right,
    "GreaterThanOrEqualTo": lambda left, right: left >= right,
    "LessThan": lambda left, right: left < right,
    "LessThanOrEqualTo": lambda left, right: left <= right,
}


class SageMaker(Protocol):
    """The calls that steps make: the service's own, in the execution's account."""

    def call(self, action: str, **request: Any) -> dict[str, Any]: ...


class StepOutcome:
    """What later steps can ask of a finished step, and what ListPipelineExecutionSteps tells of it."""

    def __init__(
        self, described: dict[str, Any], metadata: dict[str, Any], *, branch_taken: bool | None = None
    ) -> None:
        self.described, self.metadata, self.branch_taken = described, metadata, branch_taken

    def to_json(self) -> dict[str, Any]:
        """What StepOutcome(**of it) makes again."""
        return {"described": self.described, "metadata": self.metadata, "branch_taken": self.branch_taken}


def run_step(
    entry: dict[str, Any],
    *,
    execution_id: str,
    scope: Scope,
    sagemaker: SageMaker,
    stopping: Callable[[], bool],
    on_start: Callable[[dict[str, Any]], None],
) -> StepOutcome:
    """Run a step to its end; `on_start` gets the metadata as soon as there is some.

    Raises:
        JobFailure: the step failed.
        JobStopped: the execution is being stopped.
    """
    kind = entry["Type"]
    try:
        if kind == "Condition":
            return _condition(entry, scope)
        arguments = scope.resolve(entry["Arguments"])
    except NoValueError as error:
        raise JobFailure(f"ClientError: {error}") from None
    if kind == "Fail":
        on_start({"Fail": {"ErrorMessage": arguments["ErrorMessage"]}})
        raise JobFailure(arguments["ErrorMessage"])
    name = f"pipelines-{execution_id}-{_short(entry['Name'])}-{uuid.uuid4().hex[:10]}"
    try:
        if api := api_of(kind):
            return _job(api.noun, name, arguments, sagemaker, stopping, on_start)
        if kind == "Model":
            return _model(name, arguments, sagemaker, on_start)
        if kind == "RegisterModel":
            return _model_package(arguments, sagemaker, on_start)
    except (ApiError, ClientError) as error:
        raise JobFailure(f"ClientError: {error}") from None
    raise JobFailure(f"ClientError: the local AWS can't run {kind} steps")


def _condition(entry: dict[str, Any], scope: Scope) -> StepOutcome:
    held = [_holds(condition, scope) for condition in entry["Arguments"]["Conditions"]]
    holds = all(held)
    outcome = "True" if holds else "False"
    return StepOutcome({"Outcome": outcome}, {"Condition": {"Outcome": outcome}}, branch_taken=holds)


def _holds(condition: dict[str, Any], scope: Scope) -> bool:
    """Whether a condition holds; every value is looked up, so that one that isn't there fails the step."""
    match condition:
        case {"Type": "Or", "Conditions": conditions}:
            held = [_holds(inner, scope) for inner in conditions]
            return any(held)
        case {"Type": "Not", "Condition": inner} | {"Type": "Not", "Expression": inner}:
            return not _holds(inner, scope)
        case {"Type": "In", "QueryValue": query, "Values": values}:
            return scope.resolve(query) in [scope.resolve(value) for value in values]
    compare = _COMPARE.get(condition["Type"])
    if compare is None:
        raise JobFailure(f"ClientError: the local AWS can't evaluate {condition['Type']} conditions")
    return compare(scope.resolve(condition["LeftValue"]), scope.resolve(condition["RightValue"]))


def _job(
    noun: str,
    name: str,
    arguments: dict[str, Any],
    sagemaker: SageMaker,
    stopping: Callable[[], bool],
    on_start: Callable[[dict[str, Any]], None],
) -> StepOutcome:
    made = sagemaker.call(f"Create{noun}", **{f"{noun}Name": name}, **arguments)
    metadata = {noun: {"Arn": made[f"{noun}Arn"]}}
    on_start(metadata)
    asked_to_stop = False
    while True:
        described = sagemaker.call(f"Describe{noun}", **{f"{noun}Name": name})
        status = described[f"{noun}Status"]
        if status == "Completed":
            return StepOutcome(described, metadata)
        if status == "Failed":
            raise JobFailure(described.get("FailureReason", "failed without a reason"))
        if status == "Stopped" and not stopping():
            raise JobFailure(f"ClientError: the job was stopped: {described.get('SecondaryStatus', status)}")
        if status == "Stopped":
            raise JobStopped
        if stopping() and not asked_to_stop:
            # One that has ended meanwhile is as good as stopped.
            with suppress(ApiError):
                sagemaker.call(f"Stop{noun}", **{f"{noun}Name": name})
            asked_to_stop = True
        time.sleep(POLL_SECONDS)


def _model(
    name: str, arguments: dict[str, Any], sagemaker: SageMaker, on_start: Callable[[dict[str, Any]], None]
) -> StepOutcome:
    made = sagemaker.call("CreateModel", ModelName=name, **arguments)
    metadata = {"Model": {"Arn": made["ModelArn"]}}
    on_start(metadata)
    return StepOutcome(sagemaker.call("DescribeModel", ModelName=name), metadata)


def _model_package(
    arguments: dict[str, Any], sagemaker: SageMaker, on_start: Callable[[dict[str, Any]], None]
) -> StepOutcome:
    made = sagemaker.call("CreateModelPackage", **arguments)
    metadata = {"RegisterModel": {"Arn": made["ModelPackageArn"]}}
    on_start(metadata)
    described = sagemaker.call("DescribeModelPackage", ModelPackageName=made["ModelPackageArn"])
    return StepOutcome(described, metadata)


def _short(step_name: str) -> str:
    """The step's name as a part of a job's name of at most 63 letters."""
    return re.sub(r"[^A-Za-z0-9-]", "-", step_name)[:20].strip("-")
