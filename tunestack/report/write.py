"""A report's file: HTML with its charts inside, Markdown, or JSON."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, select_autoescape

from tunestack.costs.stack_cost import StackCost
from tunestack.errors import UserError
from tunestack.files import write_whole
from tunestack.planning.blueprint import Blueprint
from tunestack.report.content import Report, make_report
from tunestack.report.page import Page, page_of

if TYPE_CHECKING:
    from altair import Chart, LayerChart

FORMATS = (".html", ".md", ".json")


def write_report(blueprint: Blueprint, stacks: Mapping[str, StackCost], out: Path) -> None:
    """Write an environment's report; the file's suffix chooses its form.

    Raises:
        UserError: another suffix, or a folder that isn't there.
    """
    check_place(out)
    report = make_report(blueprint, stacks)
    text = {".html": _html, ".md": _markdown, ".json": _json}[out.suffix](report)
    write_whole(out, text)


def check_place(out: Path) -> None:
    """Refuse a file that a report can't be written to, before anything is synthesized for it.

    Raises:
        UserError: another suffix, a folder, or a folder that isn't there.
    """
    if out.suffix not in FORMATS:
        raise UserError(f"{out}: must end in one of {', '.join(FORMATS)}")
    if not out.parent.is_dir():
        raise UserError(f"{out.parent}: no such folder")


def _templates() -> Environment:
    found = Environment(
        loader=PackageLoader("tunestack.report", "."), autoescape=select_autoescape(["html.jinja"]),
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    found.filters["capitalize_first"] = lambda text: text[0].upper() + text[1:]
    return found


def as_html(page: Page, charts: "Mapping[str, Chart | LayerChart]") -> str:
    """A page with its charts as pictures inside: it opens anywhere, without a network and without a script."""
    from tunestack.report.charts import svg

    drawn = {name: svg(chart) for name, chart in charts.items()}
    return _templates().get_template("report.html.jinja").render(page=page, charts=drawn)


def as_markdown(page: Page) -> str:
    """A page in Markdown, without its charts."""
    return _templates().get_template("report.md.jinja").render(page=page)


def _html(report: Report) -> str:
    from tunestack.report.charts import memory_chart, plans_chart, steps_chart

    figures = {"memory": memory_chart(report)} if report.memory else {}
    if report.plans:
        figures["plans"] = plans_chart(report)
    return as_html(page_of(report), {**figures, "steps": steps_chart(report)})


def _markdown(report: Report) -> str:
    return as_markdown(page_of(report))


def _json(report: Report) -> str:
    value: dict[str, Any] = {
        "environment": report.environment,
        "region": report.region,
        "model": report.model,
        "parameters": report.parameters,
        "month_usd": report.month_usd,
        "run_usd": {
            "low": report.run.run_low_usd,
            "expected": report.run.run_expected_usd,
            "ceiling": report.run.run_ceiling_usd,
        },
        "memory": None if report.memory is None else report.memory.to_json(),
        "plans": [
            {"instance_type": plan.instance.name, "count": plan.candidate.count, "hours": plan.hours, "usd": plan.usd}
            for plan in report.plans
        ],
        "stacks": {
            name: {"month_usd": stack.standing_usd, "drivers": dict(stack.drivers)}
            for name, stack in report.stacks.items()
        },
        "steps": {
            name: {"instance_type": step.instance_type, "hours": step.expected_hours, "usd": step.expected_usd}
            for name, step in report.run.steps.items()
        },
        "assumptions": list(report.run.assumptions),
    }
    return json.dumps(value, indent=2) + "\n"
