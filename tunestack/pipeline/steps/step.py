"""What all steps have: a name, a kind, arguments, and the steps that they wait for."""

from dataclasses import dataclass
from typing import ClassVar

from tunestack.pipeline.expressions import Get, Json, render


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step of a pipeline; a subclass says what its arguments are."""

    type: ClassVar[str]

    name: str
    description: str
    depends_on: tuple["Step", ...] = ()

    def arguments(self) -> Json:
        """The request that the service makes for the step, with expressions in it."""
        raise NotImplementedError

    def extras(self) -> dict[str, Json]:
        """Further keys of the step's entry."""
        return {}

    def get(self, path: str) -> Get:
        """A property of the step's outcome, as its Describe call names it."""
        return Get(f"Steps.{self.name}.{path}")

    def to_definition(self) -> Json:
        """The step's entry in the definition."""
        entry: dict[str, Json] = {
            "Name": self.name,
            "Type": self.type,
            "Description": self.description,
            "Arguments": render(self.arguments()),
            **self.extras(),
        }
        if self.depends_on:
            entry["DependsOn"] = [step.name for step in self.depends_on]
        return entry
