"""An execution's report: what ran, how long, at what cost, how the loss fell, and what both models answer."""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tunestack.aws import Aws
from tunestack.executions.actual import Actual, actual
from tunestack.executions.describe import ExecutionView, describe
from tunestack.executions.errors import ExecutionError
from tunestack.executions.results import (
    GATE,
    Answered,
    answers,
    evaluation,
    gate_in_words,
    right_in_words,
    sets_of,
    training_history,
)
from tunestack.files import write_whole
from tunestack.money import usd
from tunestack.report.page import Column, Page, Section, made_on
from tunestack.report.write import as_html, as_markdown, check_place

# Of each set.
ANSWERS_SHOWN = 20
_SETS = {"heldout": "held-out rows", "general": "general set"}


@dataclass(frozen=True, kw_only=True)
class ExecutionReport:
    """What there is to tell of an execution; empty where it didn't come so far."""

    view: ExecutionView
    cost: Actual
    is_local: bool
    evaluation: dict[str, Any]
    answers: list[Answered]
    history: list[dict[str, float]]


def write_execution_report(aws: Aws, execution: str, out: Path) -> None:
    """Write an execution's report; the file's suffix (.html, .md, .json) chooses its form.

    Raises:
        UserError: another suffix, a folder that isn't there, or no such execution.
    """
    check_place(out)
    report = execution_report(aws, describe(aws, execution))
    write_whole(out, {".html": _html, ".md": _markdown, ".json": _json}[out.suffix](report))


def execution_report(aws: Aws, view: ExecutionView) -> ExecutionReport:
    """Everything that is known of an execution."""
    return ExecutionReport(
        view=view,
        cost=actual(aws, view.id),
        is_local=aws.is_local,
        evaluation=_or(lambda: evaluation(aws, view), {}),
        answers=_or(lambda: answers(aws, view), []),
        history=training_history(aws, view),
    )


def _or(read: Callable[[], Any], otherwise: Any) -> Any:
    """What is there, or what stands for it."""
    try:
        return read()
    except ExecutionError:
        return otherwise


def _html(report: ExecutionReport) -> str:
    from tunestack.report.charts import loss_chart

    figures = {"loss": loss_chart(report.history)} if report.history else {}
    return as_html(execution_page(report), figures)


def _markdown(report: ExecutionReport) -> str:
    return as_markdown(execution_page(report))


def _json(report: ExecutionReport) -> str:
    value = {
        "execution": report.view.to_json(),
        "cost": asdict(report.cost),
        "scores": sets_of(report.evaluation),
        "gate": report.evaluation.get(GATE),
        "answers": [asdict(item) for item in report.answers],
        "history": report.history,
    }
    return json.dumps(value, indent=2) + "\n"


def execution_page(report: ExecutionReport) -> Page:
    """The page of an execution."""
    view = report.view
    return Page(
        title=f"Execution {view.id}: {view.status}",
        subtitle=f"started {view.started}, {view.seconds / 60:,.1f} min; {made_on()}",
        figures=tuple(_figures(report)),
        warnings=tuple(_warnings(report)),
        sections=tuple(_sections(report)),
    )


def _figures(report: ExecutionReport) -> Iterator[tuple[str, str]]:
    if "heldout" in report.evaluation and (right := right_in_words(report.evaluation["heldout"])):
        yield right, f"held-out answers right, base → tuned, compared by {report.evaluation['heldout']['compared_by']}"
    for name, what in _SETS.items():
        if name in report.evaluation:
            base, tuned = (report.evaluation[name][model]["loss"] for model in ("base", "tuned"))
            yield f"{base:.3f} → {tuned:.3f}", f"loss on the {what}, base → tuned: lower is better"
    if report.is_local:
        yield "nothing", f"was paid: it ran on this machine; on AWS about {usd(report.cost.expected_usd)}"
    else:
        yield usd(report.cost.billed_usd), f"billed; {usd(report.cost.expected_usd)} were expected"


def _warnings(report: ExecutionReport) -> Iterator[str]:
    said = gate_in_words(report.evaluation)
    if said and not said.startswith("passed"):
        yield f"the gate is {said}"
    failed = report.view.failed_step
    if failed is not None:
        yield f"{failed.name} failed: {failed.failure_reason}" + (f" ({failed.advice})" if failed.advice else "")


def _sections(report: ExecutionReport) -> Iterator[Section]:
    if report.history:
        yield Section(title="How the loss fell", chart="loss")
    costs = {step.step: step for step in report.cost.steps}
    yield Section(
        title="Step by step",
        columns=(
            Column(title="step"), Column(title="status"), Column(title="seconds", number=True),
            Column(title="instance"), Column(title="expected", number=True), Column(title="says", wrap=True),
        ),
        rows=tuple(
            (
                step.name,
                step.status,
                "" if step.seconds is None else f"{step.seconds:,.0f}",
                step.instance_type or "",
                usd(costs[step.name].expected_usd) if step.name in costs else "",
                step.failure_reason or step.message or "",
            )
            for step in report.view.steps
        ),
    )  # fmt: skip
    for of, title in (("heldout", "What both models answer: held-out rows"), ("questions", "Your questions")):
        items = [item for item in report.answers if item.of == of]
        if items:
            yield _answers(title, items)
    yield Section(
        title="Parameters that were chosen",
        columns=(Column(title="parameter"), Column(title="value", wrap=True)),
        rows=tuple(sorted(report.view.parameters.items())),
    )
    yield Section(title="What was off, and what to do next", lines=tuple(_next(report)))


def _answers(title: str, items: list[Answered]) -> Section:
    columns = (Column(title="question", wrap=True), Column(title="wanted", wrap=True))
    models = (Column(title="base", wrap=True), Column(title="tuned", wrap=True))
    wanted = any(item.wanted is not None for item in items)
    rows = tuple(
        (item.question, *([item.wanted or ""] if wanted else []), item.base or "", item.tuned or item.error or "")
        for item in items[:ANSWERS_SHOWN]
    )
    note = f"{ANSWERS_SHOWN} of {len(items)}" if len(items) > ANSWERS_SHOWN else ""
    return Section(title=title, note=note, columns=(*(columns if wanted else columns[:1]), *models), rows=rows)


def _next(report: ExecutionReport) -> Iterator[str]:
    yield from report.cost.findings
    view = report.view
    if view.status == "Succeeded":
        yield "`tunestack models list` shows the version; `tunestack models approve VERSION` lets it be used"
        yield "`tunestack chat` asks it on this machine"
    elif view.failed_step is not None and view.failed_step.job_name:
        yield f"`tunestack logs {view.id} {view.failed_step.name}` prints the failed step's log"
    yield f"`tunestack compare {view.id} OTHER` puts another run beside it"
