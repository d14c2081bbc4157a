"""What an execution was started with: its own definition and parameters, whatever has been deployed since."""

import json
from typing import Any

from tunestack.aws import Aws
from tunestack.executions.checks import blueprint_of_execution
from tunestack.executions.describe import ExecutionView
from tunestack.executions.parameters import declared_parameters, parameter_values
from tunestack.planning.blueprint import Blueprint


def definition_of(aws: Aws, view: ExecutionView) -> dict[str, Any]:
    """The pipeline's definition as it was when the execution started."""
    found = aws.sagemaker.describe_pipeline_definition_for_execution(PipelineExecutionArn=view.arn)
    definition: dict[str, Any] = json.loads(found["PipelineDefinition"])
    return definition


def values_of(aws: Aws, view: ExecutionView) -> dict[str, Any]:
    """Every parameter's value: what wasn't chosen is its definition's default."""
    return parameter_values(declared_parameters(definition_of(aws, view)), view.parameters)


def blueprint_of(aws: Aws, view: ExecutionView) -> Blueprint:
    """What the execution was to do and to cost."""
    definition = definition_of(aws, view)
    return blueprint_of_execution(aws, definition, parameter_values(declared_parameters(definition), view.parameters))
