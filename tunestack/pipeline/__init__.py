"""The pipeline definition: typed steps in, JSON out, and its validation."""

from tunestack.pipeline.definition import Pipeline
from tunestack.pipeline.fine_tuning import fine_tuning_pipeline
from tunestack.pipeline.job_defaults import JobDefaults, Vpc
from tunestack.pipeline.resources import Resources, Roles

__all__ = ["JobDefaults", "Pipeline", "Resources", "Roles", "Vpc", "fine_tuning_pipeline"]
