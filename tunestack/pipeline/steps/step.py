"""What all steps have: a name, a kind and arguments; references in them decide what waits for what."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from tunestack.pipeline.expressions import Get, Json, render
from tunestack.pipeline.job_defaults import Hardware, JobDefaults


@dataclass(frozen=True, kw_only=True)
class Step(ABC):
    """One step of a pipeline; a subclass says what its arguments are."""

    type: ClassVar[str]

    name: str
    description: str

    @abstractmethod
    def arguments(self) -> Json:
        """The request that the service makes for the step, with expressions in it."""

    def extras(self) -> dict[str, Json]:
        """Further keys of the step's entry."""
        return {}

    def get(self, path: str) -> Get:
        """A property of the step's outcome, as its Describe call names it."""
        return Get(f"Steps.{self.name}.{path}")

    def to_definition(self) -> Json:
        """The step's entry in the definition."""
        return {
            "Name": self.name,
            "Type": self.type,
            "Description": self.description,
            "Arguments": render(self.arguments()),
            **self.extras(),
        }


@dataclass(frozen=True, kw_only=True)
class JobStep(Step):
    """A step that starts a job."""

    job: JobDefaults
    hardware: Hardware

    @abstractmethod
    def output(self, name: str) -> Get:
        """Where an output of the job lies in S3, for a later step."""
