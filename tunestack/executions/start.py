"""Start an execution: parameters checked against the deployed definition before anything runs."""

import json
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import uuid4

from botocore.exceptions import ClientError

from tunestack.aws import Aws, NotDeployedError
from tunestack.definition.validation import refused, with_values
from tunestack.executions.checks import check_run
from tunestack.executions.errors import ExecutionError
from tunestack.executions.inputs import missing_inputs
from tunestack.executions.parameters import declared_parameters, key_for_run, parameter_values, wrong_parameters
from tunestack.jobs import BASE_MODEL_URI
from tunestack.pipeline.recipe_parameters import CHECKPOINT_KEY

# Of the API's PipelineExecutionDescription, in characters.
MAX_DESCRIPTION = 3072


def start(aws: Aws, given: Mapping[str, str], *, allow: Iterable[str] = (), fresh: bool = False) -> str:
    """Start an execution with some parameters chosen; its ARN. `allow` names the checks that are waived.

    A training of the same data, model and hyperparameters gets the same CheckpointKey, so that it resumes, or is loaded
    where it had ended; a `fresh` one gets a key of its own, and trains from the first step.

    Raises:
        ExecutionError: a parameter is unknown or out of range, or an input isn't there; a line for each.
        SettingsError: a job doesn't fit its machine, or budget or deadline are missed.
        NotDeployedError: the pipeline isn't there.
    """
    definition = deployed_definition(aws)
    declared = declared_parameters(definition)
    chosen = {name: value.rstrip("/") if name == BASE_MODEL_URI.name else value for name, value in given.items()}
    if problems := list(wrong_parameters(declared, chosen, aws.settings.recipe)):
        raise ExecutionError("\n".join(problems))
    values = parameter_values(declared, chosen)
    if problems := refused(with_values(definition, values)):
        # What the service would refuse hours later, when the step is reached.
        raise ExecutionError("\n".join(f"the run would be refused: {problem}" for problem in problems))
    if missing := list(missing_inputs(aws, values, given=chosen)):
        raise ExecutionError("\n".join(missing))
    waived = check_run(aws, definition, values, allow=allow)
    if fresh:
        chosen[CHECKPOINT_KEY] = f"{key_for_run(chosen, declared)}-{uuid4().hex[:8]}"
    chosen.setdefault(CHECKPOINT_KEY, key_for_run(chosen, declared))
    answer = aws.sagemaker.start_pipeline_execution(
        PipelineName=aws.pipeline_name,
        ClientRequestToken=uuid4().hex,
        PipelineParameters=[{"Name": name, "Value": value} for name, value in chosen.items()],
        # What was waived stays with the execution, where DescribePipelineExecution shows it.
        PipelineExecutionDescription="; ".join(waived)[:MAX_DESCRIPTION],
    )
    arn: str = answer["PipelineExecutionArn"]
    return arn


def deployed_definition(aws: Aws) -> dict[str, Any]:
    """The definition that is deployed.

    Raises:
        NotDeployedError: the pipeline isn't there.
    """
    try:
        pipeline = aws.sagemaker.describe_pipeline(PipelineName=aws.pipeline_name)
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("ResourceNotFound", "ValidationException"):
            raise
        command = f"cdk deploy --all -c env={aws.settings.name}"
        raise NotDeployedError(f"no pipeline {aws.pipeline_name!r}: deploy it with `{command}`") from None
    definition: dict[str, Any] = json.loads(pipeline["PipelineDefinition"])
    return definition
