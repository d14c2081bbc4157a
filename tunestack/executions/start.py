"""Start an execution: parameters checked against the deployed definition before anything runs."""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from tunestack.aws import Aws, NotDeployedError
from tunestack.errors import nearest
from tunestack.executions.errors import ExecutionError
from tunestack.executions.gates import check_run
from tunestack.executions.inputs import missing_inputs
from tunestack.pipeline.recipe_parameters import CHECKPOINT_KEY, NOT_IN_CHECKPOINT_KEY, RUN_CHOICES, checkpoint_key
from tunestack.settings.recipe import field_schema

# Of the API's PipelineExecutionDescription, in characters.
MAX_DESCRIPTION = 3072


def start(aws: Aws, given: Mapping[str, str], *, allow: Iterable[str] = ()) -> str:
    """Start an execution with some parameters chosen; its ARN. `allow` names gates that needn't be passed.

    A training of the same data, model and hyperparameters gets the same CheckpointKey, so that it resumes.

    Raises:
        ExecutionError: a parameter is unknown or out of range, or an input isn't staged; a line for each.
        SettingsError: a job doesn't fit its machine, or budget or deadline are missed.
        NotDeployedError: the pipeline isn't there.
    """
    declared = deployed_parameters(aws)
    values = {name: value.rstrip("/") if name == "BaseModelUri" else value for name, value in given.items()}
    problems = [problem for name, value in values.items() if (problem := check_parameter(name, value, declared))]
    if problems:
        raise ExecutionError("\n".join(problems))
    defaults = {name: str(parameter.get("DefaultValue", "")) for name, parameter in declared.items()}
    missing = list(missing_inputs(aws, {**defaults, **values}))
    if missing:
        raise ExecutionError("\n".join(missing))
    overrides = check_run(aws, {**defaults, **values}, allow=allow)
    if CHECKPOINT_KEY not in values:
        values[CHECKPOINT_KEY] = key_for_run(values, declared)
    answer = aws.sagemaker.start_pipeline_execution(
        PipelineName=aws.pipeline_name,
        PipelineParameters=[{"Name": name, "Value": value} for name, value in values.items()],
        # What was let pass stays with the execution, where DescribePipelineExecution shows it.
        **({"PipelineExecutionDescription": "; ".join(overrides)[:MAX_DESCRIPTION]} if overrides else {}),
    )
    arn: str = answer["PipelineExecutionArn"]
    return arn


def deployed_parameters(aws: Aws) -> dict[str, dict[str, Any]]:
    """The parameters that the deployed definition declares, by name."""
    try:
        pipeline = aws.sagemaker.describe_pipeline(PipelineName=aws.pipeline_name)
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("ResourceNotFound", "ValidationException"):
            raise
        command = f"cdk deploy --all -c env={aws.settings.name}"
        raise NotDeployedError(f"no pipeline {aws.pipeline_name!r}: deploy it with `{command}`") from None
    parameters = json.loads(pipeline["PipelineDefinition"])["Parameters"]
    return {parameter["Name"]: parameter for parameter in parameters}


def check_parameter(name: str, value: str, declared: Mapping[str, Mapping[str, Any]]) -> str | None:
    """What is wrong with a chosen value, or None: the definition's type and choices, and the recipe's range."""
    parameter = declared.get(name)
    if parameter is None:
        return f"unknown parameter {name!r}; {nearest(name, declared)}"
    allowed = parameter.get("EnumValues")
    if allowed and value not in allowed:
        return f"{name} must be one of {', '.join(allowed)}, got {value!r}; {nearest(value, allowed)}"
    if parameter["Type"] == "String":
        return (
            f"{name} must be an S3 URI, got {value!r}"
            if name.endswith("Uri") and not value.startswith("s3://")
            else None
        )
    try:
        number = int(value) if parameter["Type"] == "Integer" else float(value)
    except ValueError:
        return f"{name} must be of type {parameter['Type']}, got {value!r}"
    return _out_of_range(name, number)


def key_for_run(values: Mapping[str, str], declared: Mapping[str, Mapping[str, Any]]) -> str:
    """The deployed key where nothing that shapes the training is chosen, else a key of its own."""
    deployed = str(declared[CHECKPOINT_KEY]["DefaultValue"])
    chosen = {name: value for name, value in values.items() if name not in NOT_IN_CHECKPOINT_KEY}
    return checkpoint_key({CHECKPOINT_KEY: deployed, **chosen}) if chosen else deployed


def _out_of_range(name: str, number: float) -> str | None:
    if name not in RUN_CHOICES:
        return None
    schema = field_schema(RUN_CHOICES[name])
    tests: dict[str, tuple[str, Callable[[float], bool]]] = {
        "minimum": ("at least", lambda limit: number >= limit),
        "exclusiveMinimum": ("greater than", lambda limit: number > limit),
        "maximum": ("at most", lambda limit: number <= limit),
        "exclusiveMaximum": ("less than", lambda limit: number < limit),
    }
    for key, (words, holds) in tests.items():
        if key in schema and not holds(schema[key]):
            return f"{name} must be {words} {schema[key]}, got {number:g}"
    return None
