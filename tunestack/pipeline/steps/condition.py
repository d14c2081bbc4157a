"""A fork: the first branch when every condition holds, else the second."""

from dataclasses import dataclass
from typing import Any, ClassVar

from tunestack.pipeline.expressions import Json, render
from tunestack.pipeline.steps.step import Step


@dataclass(frozen=True, kw_only=True)
class LessThanOrEqualTo:
    """left ≤ right."""

    left: Any
    right: Any

    def to_definition(self) -> Json:
        return {
            "Type": "LessThanOrEqualTo",
            "LeftValue": render(self.left),
            "RightValue": render(self.right),
        }


@dataclass(frozen=True, kw_only=True)
class ConditionStep(Step):
    """Takes one of two branches; the steps of the other are never started."""

    type: ClassVar[str] = "Condition"

    conditions: tuple[LessThanOrEqualTo, ...]
    if_steps: tuple[Step, ...]
    else_steps: tuple[Step, ...]

    def arguments(self) -> Json:
        return {
            "Conditions": [condition.to_definition() for condition in self.conditions],
            "IfSteps": [step.to_definition() for step in self.if_steps],
            "ElseSteps": [step.to_definition() for step in self.else_steps],
        }
