"""Writes our pipeline's definition: typed steps in, JSON out."""

from tunestack.pipeline.definition import Pipeline
from tunestack.pipeline.fine_tuning import fine_tuning_pipeline
from tunestack.pipeline.job_defaults import JobDefaults, Vpc
from tunestack.pipeline.promotion import promotion_pipeline
from tunestack.pipeline.resources import Resources, filled_in, placeholders

__all__ = [
    "JobDefaults",
    "Pipeline",
    "Resources",
    "Vpc",
    "filled_in",
    "fine_tuning_pipeline",
    "placeholders",
    "promotion_pipeline",
]
