"""The gates of a synthesis, again for what a run is started with: it may choose model, data, hyperparameters anew."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from botocore.exceptions import ClientError

from tunestack.aws import Aws
from tunestack.costs.run import run_cost
from tunestack.executions.month import started_problems
from tunestack.pipeline.recipe_parameters import RUN_CHOICES
from tunestack.planning.gates import enforce, gate_problems
from tunestack.settings import Settings
from tunestack.settings.recipe import field_schema
from tunestack.sizing.model.architecture import Architecture
from tunestack.sizing.model.families import from_config
from tunestack.sizing.model.model_config import ModelConfigError

_JOBS = {"TrainInstanceType": "train", "EvaluateInstanceType": "evaluate", "TransformInstanceType": "transform"}


def check_run(aws: Aws, values: Mapping[str, str], *, allow: Iterable[str] = ()) -> tuple[str, ...]:
    """Refuse a run whose jobs don't fit, or that misses budget or deadline; what `allow` let pass, as lines.

    Raises:
        SettingsError: with every gate that isn't passed.
    """
    settings = chosen_settings(aws.settings, values)
    architecture = staged_architecture(aws, values["BaseModelUri"])
    problems = [*gate_problems(settings, architecture), *started_problems(aws, run_cost(settings, architecture))]
    return enforce(problems, allow=allow)


def chosen_settings(settings: Settings, values: Mapping[str, str]) -> Settings:
    """The settings with what a run chooses: recipe fields and instance types."""
    recipe: dict[str, dict[str, Any]] = {section: dict(fields) for section, fields in settings.recipe.items()}
    for name, dotted in RUN_CHOICES.items():
        if name in values:
            section, key = dotted.split(".")
            whole = field_schema(dotted)["type"] == "integer"
            recipe[section][key] = int(values[name]) if whole else float(values[name])
    jobs = settings.environment.jobs
    chosen = {
        job: getattr(jobs, job).model_copy(update={"instance_type": values[name], "allowed_instance_types": []})
        for name, job in _JOBS.items()
        if name in values
    }
    environment = settings.environment.model_copy(update={"jobs": jobs.model_copy(update=chosen)})
    return replace(settings, environment=environment, recipe=recipe)


def staged_architecture(aws: Aws, uri: str) -> Architecture | None:
    """The architecture of the base model that lies in S3, or None where its family isn't known."""
    bucket, _, prefix = uri.removeprefix("s3://").partition("/")
    try:
        body = aws.s3.get_object(Bucket=bucket, Key=f"{prefix}/model/config.json")["Body"].read()
        return from_config(json.loads(body), name=f"{uri}/model/config.json")
    except (ClientError, json.JSONDecodeError, ModelConfigError):
        return None
