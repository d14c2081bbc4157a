"""The typed steps of a pipeline, one kind per file."""

from tunestack.pipeline.steps.condition import ConditionStep, LessThanOrEqualTo
from tunestack.pipeline.steps.create_model import CreateModelStep
from tunestack.pipeline.steps.fail import FailStep
from tunestack.pipeline.steps.processing import ProcessingInput, ProcessingOutput, ProcessingStep
from tunestack.pipeline.steps.register_model import RegisterModelStep
from tunestack.pipeline.steps.step import JobStep, Step
from tunestack.pipeline.steps.training import Channel, MetricDefinition, Spot, TrainingStep
from tunestack.pipeline.steps.transform import TransformStep

__all__ = [
    "Channel",
    "ConditionStep",
    "CreateModelStep",
    "FailStep",
    "JobStep",
    "LessThanOrEqualTo",
    "MetricDefinition",
    "ProcessingInput",
    "ProcessingOutput",
    "ProcessingStep",
    "RegisterModelStep",
    "Spot",
    "Step",
    "TrainingStep",
    "TransformStep",
]
