"""The jobs that a definition starts: what each runs on, how long it may, and where a run chooses."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tunestack.definition.expressions import parameter_of
from tunestack.definition.graph import PlacedStep, placed_steps
from tunestack.errors import UserError
from tunestack.job_api import APIS, MAX_RUNTIME_VARIABLE, Api
from tunestack.jobs import Job, job_of_step

# Kinds of step that start no job, and cost nothing.
WITHOUT_JOB = frozenset({"Condition", "Fail", "Model", "RegisterModel"})


class UnknownStepError(UserError, ValueError):
    """A step that starts a job of which nobody says what it needs, and so what it costs."""


@dataclass(frozen=True, kw_only=True)
class DefinedJob:
    """One job as the definition starts it; `instance_choices` begin with the default."""

    job: Job
    instance_type: str
    instance_choices: tuple[str, ...]
    max_runtime_seconds: int
    spot: bool = False

    @property
    def step(self) -> str:
        return self.job.step


def jobs_of(definition: Mapping[str, Any], *, chosen: Mapping[str, str] | None = None) -> tuple[DefinedJob, ...]:
    """Every job of a definition, in its steps' order; `chosen` are the parameters of one run.

    Raises:
        UnknownStepError: a step starts a job that `tunestack/jobs.py` doesn't describe.
    """
    parameters = {parameter["Name"]: parameter for parameter in definition.get("Parameters", [])}
    return tuple(
        _defined(step, parameters, chosen or {})
        for step in placed_steps(definition["Steps"])
        if step.entry["Type"] not in WITHOUT_JOB
    )


def cluster_of(api: Api, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """The part of a job's request, or of its description, that says what it runs on."""
    found: Any = request
    for member in api.cluster:
        found = found.get(member, {})
    return found if isinstance(found, Mapping) else {}


def api_of(step_type: str) -> Api | None:
    """The kind of job that a step of that type starts, or None where it starts none that is known here."""
    return next((api for api in APIS if api.step_type == step_type), None)


def _defined(step: PlacedStep, parameters: Mapping[str, Any], chosen: Mapping[str, str]) -> DefinedJob:
    job, api = job_of_step(step.name), api_of(step.entry["Type"])
    if job is None or api is not job.api:
        raise UnknownStepError(
            f"step {step.name} of type {step.entry['Type']}: no entry of tunestack/jobs.py says what it needs, and so "
            "what it costs"
        )
    arguments = step.own_arguments
    choices = _instance_choices(step.name, cluster_of(api, arguments).get("InstanceType"), parameters, chosen)
    return DefinedJob(
        job=job,
        instance_type=choices[0],
        instance_choices=choices,
        max_runtime_seconds=_time_limit(step.name, arguments),
        spot=bool(arguments.get("EnableManagedSpotTraining")),
    )


def _time_limit(step: str, arguments: Mapping[str, Any]) -> int:
    """The service's own limit, or for a transform, which has none, the one that our server keeps."""
    own = arguments.get("StoppingCondition", {}).get("MaxRuntimeInSeconds")
    kept = arguments.get("Environment", {}).get(MAX_RUNTIME_VARIABLE)
    if own is None and kept is None:
        raise UnknownStepError(f"step {step}: without a time limit nobody knows what it can cost")
    return int(own if own is not None else kept)


def _instance_choices(
    step: str, value: Any, parameters: Mapping[str, Any], chosen: Mapping[str, str]
) -> tuple[str, ...]:
    name = parameter_of(value)
    if name is None and isinstance(value, str):
        return (value,)
    if name and name in chosen:
        return (chosen[name],)
    declared = parameters.get(name, {}) if name else {}
    choices = [item for item in (declared.get("DefaultValue"), *declared.get("EnumValues", [])) if item]
    if not choices:
        raise UnknownStepError(f"step {step}: its instance type isn't known before it runs, and so not what it costs")
    return tuple(dict.fromkeys(choices))
