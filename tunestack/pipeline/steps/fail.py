"""An end with a reason."""

from dataclasses import dataclass
from typing import Any, ClassVar

from tunestack.pipeline.expressions import Json
from tunestack.pipeline.steps.step import Step


@dataclass(frozen=True, kw_only=True)
class FailStep(Step):
    """Fails the execution with a message."""

    type: ClassVar[str] = "Fail"

    error_message: Any

    def arguments(self) -> Json:
        return {"ErrorMessage": self.error_message}
