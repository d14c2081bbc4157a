"""What a check looks at: one step's entry and arguments, with the parameters and the steps around it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

# A member of the request or key of the step, and what is wrong with it.
Problem = tuple[str, str]
Problems = Iterator[Problem]
PROCESSING, TRAINING, TRANSFORM = "Processing", "Training", "Transform"
MODEL, MODEL_PACKAGE = "Model", "RegisterModel"


@dataclass(frozen=True, kw_only=True)
class Around:
    """What is around a step: the conditions that it is behind, as JSON; whether there is a VPC for jobs."""

    conditions: tuple[str, ...] = ()
    vpc_expected: bool = False


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A step whose arguments have the shape that the API wants."""

    entry: Mapping[str, Any]
    arguments: Mapping[str, Any]
    parameters: Mapping[str, Mapping[str, Any]]
    # Of a transform: the arguments of the Model step that it uses, where one is in the definition.
    model: Mapping[str, Any] | None = None
    around: Around = Around()

    @property
    def kind(self) -> str:
        return str(self.entry.get("Type"))

    def part(self, *path: str) -> Mapping[str, Any]:
        """A structure inside the arguments, empty where it isn't there."""
        found: Any = self.arguments
        for member in path:
            found = found.get(member) or {}
        return found if isinstance(found, Mapping) else {}
