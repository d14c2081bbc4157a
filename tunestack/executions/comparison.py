"""Two executions side by side: what they were given, and what came of it."""

from dataclasses import dataclass
from typing import Any

from tunestack.aws import Aws
from tunestack.executions.actual import actual
from tunestack.executions.describe import ExecutionView
from tunestack.executions.errors import ExecutionError
from tunestack.executions.results import scores
from tunestack.executions.started import values_of
from tunestack.jobs import TRAIN
from tunestack.pipeline.recipe_parameters import CHECKPOINT_KEY


@dataclass(frozen=True, kw_only=True)
class Compared:
    """One figure or parameter of two executions, None where one of them doesn't have it."""

    of: str
    name: str
    first: Any
    second: Any

    @property
    def differs(self) -> bool:
        return bool(self.first != self.second)


def compare(aws: Aws, first: ExecutionView, second: ExecutionView) -> list[Compared]:
    """Parameters that differ, then every figure: scores, the training's last metrics, times, dollars.

    What a run didn't choose is the default of the definition that it was started with.
    """
    rows = _rows("parameter", _parameters(aws, first), _parameters(aws, second))
    return [row for row in rows if row.differs] + [
        *_rows("result", _results(aws, first), _results(aws, second)),
        *_rows("training", _training(first), _training(second)),
        *_rows("time and cost", _cost(aws, first), _cost(aws, second)),
    ]


def _rows(of: str, first: dict[str, Any], second: dict[str, Any]) -> list[Compared]:
    names = dict.fromkeys((*first, *second))
    return [Compared(of=of, name=name, first=first.get(name), second=second.get(name)) for name in names]


def _parameters(aws: Aws, view: ExecutionView) -> dict[str, Any]:
    return {name: value for name, value in values_of(aws, view).items() if name != CHECKPOINT_KEY}


def _results(aws: Aws, view: ExecutionView) -> dict[str, Any]:
    try:
        found = scores(aws, view)
    except ExecutionError:
        return {"status": view.status}
    figures: dict[str, Any] = {"status": view.status}
    for name, values in found.items():
        if "answered" in values:
            for version in ("base", "tuned"):
                figures[f"{name} answers right, {version}"] = f"{values[version]['right']} of {values['answered']}"
        else:
            # An evaluation of an older version's.
            figures[f"{name} answers right, tuned"] = values["tuned"]["answer_accuracy"]
        figures[f"{name} loss, base"] = values["base"]["loss"]
        figures[f"{name} loss, tuned"] = values["tuned"]["loss"]
        figures[f"{name} loss ratio"] = values["loss_ratio"]
        figures[f"{name} rows"] = values["rows"]
    return figures


def _training(view: ExecutionView) -> dict[str, Any]:
    step = next((step for step in view.steps if step.name == TRAIN.step), None)
    return dict(sorted(step.metrics.items())) if step else {}


def _cost(aws: Aws, view: ExecutionView) -> dict[str, Any]:
    figures: dict[str, Any] = {f"{step.name}, s": step.seconds for step in view.steps if step.job_name}
    if not aws.is_local:
        billed = actual(aws, view.id).billed_usd
        figures["billed, USD"] = None if billed is None else round(billed, 4)
    return figures
