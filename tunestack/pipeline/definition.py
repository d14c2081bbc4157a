"""A whole pipeline as SageMaker's pipeline definition, version 2020-12-01."""

from dataclasses import dataclass

from tunestack.pipeline.expressions import Json, Parameter
from tunestack.pipeline.steps import Step

VERSION = "2020-12-01"


@dataclass(frozen=True, kw_only=True)
class Pipeline:
    """Parameters and steps; the order of the steps is for the reader, references decide what waits."""

    parameters: tuple[Parameter, ...]
    steps: tuple[Step, ...]

    def to_definition(self) -> Json:
        """The definition as plain JSON values: no clock, no randomness, the same input the same bytes."""
        return {
            "Version": VERSION,
            "Metadata": {},
            "Parameters": [parameter.declaration() for parameter in self.parameters],
            "Steps": [step.to_definition() for step in self.steps],
        }
