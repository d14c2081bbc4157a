"""All that follows from an environment's settings, worked out once and passed down."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from tunestack.costs.run import RunCost, run_cost
from tunestack.costs.workload import Workload, workload_of
from tunestack.definition.jobs import DefinedJob, jobs_of
from tunestack.pipeline import fine_tuning_pipeline, placeholders, promotion_pipeline
from tunestack.planning.auto import resolve_auto
from tunestack.planning.model_checks import check_model
from tunestack.settings.loading import Settings


@dataclass(frozen=True, kw_only=True)
class Promotion:
    """How versions of another environment are taken in: the definition, and what one costs."""

    definition: Mapping[str, Any]
    run: RunCost


@dataclass(frozen=True, kw_only=True)
class Blueprint:
    """An environment as it will be: settings without `auto`, the definition, its jobs, and what a run costs.

    The definition names what the stacks make by placeholders (`tunestack/pipeline/resources.py`).
    """

    workload: Workload
    definition: Mapping[str, Any]
    jobs: tuple[DefinedJob, ...]
    run: RunCost
    promotion: Promotion | None = None

    @property
    def settings(self) -> Settings:
        return self.workload.settings


def blueprint_of(settings: Settings) -> Blueprint:
    """The blueprint of an environment's settings.

    Raises:
        SettingsError: `auto` is asked for a model that isn't known, or the recipe doesn't suit its model.
        ModelConfigError: the settings name a config.json that can't be sized.
    """
    workload = workload_of(settings)
    check_model(workload)
    workload = resolve_auto(workload)
    definition = fine_tuning_pipeline(workload.settings, placeholders(workload.settings)).to_definition()
    blueprint = blueprint_of_run(workload, definition)
    return replace(blueprint, promotion=_promotion(workload)) if workload.settings.promoted_from else blueprint


def _promotion(workload: Workload) -> Promotion:
    definition = promotion_pipeline(workload.settings, placeholders(workload.settings)).to_definition()
    return Promotion(definition=definition, run=run_cost(jobs_of(definition), workload))


def blueprint_of_run(
    workload: Workload, definition: Mapping[str, Any], *, chosen: Mapping[str, str] | None = None
) -> Blueprint:
    """The blueprint of one run of a definition; `chosen` are its parameters.

    Raises:
        UnknownStepError: the definition has a job that nobody prices.
    """
    jobs = jobs_of(definition, chosen=chosen)
    return Blueprint(workload=workload, definition=definition, jobs=jobs, run=run_cost(jobs, workload))
