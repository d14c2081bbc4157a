"""What a run would cost, seen before it is started: with its parameters and the size of its data."""

from collections.abc import Mapping
from dataclasses import replace

from tunestack.aws import Aws
from tunestack.costs.run import RunCost
from tunestack.executions.checks import blueprint_of_execution
from tunestack.executions.errors import ExecutionError
from tunestack.executions.parameters import declared_parameters, parameter_values, wrong_parameters
from tunestack.executions.start import deployed_definition


def with_data_of(aws: Aws, tokens: int) -> Aws:
    """The environment with data of that size assumed, in place of the settings' costs.training_tokens."""
    environment = aws.settings.environment
    costs = environment.costs.model_copy(update={"training_tokens": tokens})
    environment = environment.model_copy(update={"costs": costs})
    return replace(aws, settings=replace(aws.settings, environment=environment))


def preview(aws: Aws, given: Mapping[str, str]) -> RunCost:
    """The cost of a run of the deployed pipeline.

    Raises:
        ExecutionError: a parameter is unknown or out of range; a line for each.
        NotDeployedError: the pipeline isn't there.
    """
    definition = deployed_definition(aws)
    declared = declared_parameters(definition)
    if problems := list(wrong_parameters(declared, given, aws.settings.recipe)):
        raise ExecutionError("\n".join(problems))
    return blueprint_of_execution(aws, definition, parameter_values(declared, given)).run
