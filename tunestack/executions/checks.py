"""The checks of a synthesis, again for what a run is started with: it may choose model, data, hyperparameters."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from botocore.exceptions import ClientError
from tunestack_training.failure import JobError
from tunestack_training.positions import check_length

from tunestack.aws import Aws
from tunestack.costs.workload import workload_of
from tunestack.executions.month import failed_budget
from tunestack.jobs import BASE_MODEL_URI
from tunestack.layout import MODEL_CONFIG, S3Uri
from tunestack.pipeline.recipe_parameters import RUN_CHOICES, parameter_name
from tunestack.planning.blueprint import Blueprint, blueprint_of_run
from tunestack.planning.checks import OF_COMMAND, failed_checks, waive
from tunestack.settings.problems import Problem, SettingsError
from tunestack.settings.recipe import replaced_values
from tunestack.sizing.model.architecture import Architecture
from tunestack.sizing.model.families import from_config
from tunestack.sizing.model.model_config import ModelConfigError

MAX_LENGTH = "training.max_length"


def check_run(
    aws: Aws, definition: Mapping[str, Any], values: Mapping[str, Any], *, allow: Iterable[str] = ()
) -> tuple[str, ...]:
    """Refuse a run whose jobs don't fit, or that misses budget or deadline; what `allow` waived, as lines.

    Raises:
        SettingsError: with every check that isn't passed, or a row is longer than the model's positions.
    """
    blueprint = blueprint_of_execution(aws, definition, values)
    waived = waive([*failed_checks(blueprint), *failed_budget(aws, blueprint.run)], allow=allow, by=OF_COMMAND)
    _check_length(aws, values)
    return waived


def blueprint_of_execution(aws: Aws, definition: Mapping[str, Any], values: Mapping[str, Any]) -> Blueprint:
    """What an execution of the deployed definition with these parameters comes to, of the model that it tunes."""
    chosen = {dotted: values[name] for name, dotted in RUN_CHOICES.items() if name in values}
    settings = replace(aws.settings, recipe=replaced_values(aws.settings.recipe, chosen))
    workload = workload_of(settings, uploaded_architecture(aws, values[BASE_MODEL_URI.name]))
    instance_types = {name: value for name, value in values.items() if name not in RUN_CHOICES}
    return blueprint_of_run(workload, definition, chosen=instance_types)


def _check_length(aws: Aws, values: Mapping[str, Any]) -> None:
    config = uploaded_config(aws, values[BASE_MODEL_URI.name])
    try:
        check_length(config or {}, int(values[parameter_name(MAX_LENGTH)]))
    except JobError as error:
        problem = Problem(file=aws.settings.recipe_file, key=MAX_LENGTH, message=str(error))
        raise SettingsError([problem]) from None


def uploaded_architecture(aws: Aws, uri: str) -> Architecture | None:
    """The architecture of the base model that lies in S3, or None where its family isn't known."""
    config = uploaded_config(aws, uri)
    try:
        return None if config is None else from_config(config, name=f"{uri}/{MODEL_CONFIG}")
    except ModelConfigError:
        return None


def uploaded_config(aws: Aws, uri: str) -> dict[str, Any] | None:
    """The configuration of the base model that lies in S3, or None where it can't be read."""
    bucket, prefix = S3Uri.parse(uri)
    try:
        body = aws.s3.get_object(Bucket=bucket, Key=f"{prefix}/{MODEL_CONFIG}")["Body"].read()
        config: dict[str, Any] = json.loads(body)
    except (ClientError, json.JSONDecodeError):
        return None
    return config if isinstance(config, dict) else None
