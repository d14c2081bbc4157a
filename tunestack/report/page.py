"""The report's page: what every form of it shows, in order, as text and tables."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version

from tunestack.costs.stack_cost import StackCost, StepCost
from tunestack.money import in_hours, usd
from tunestack.planning import Plan
from tunestack.report.content import Report
from tunestack.sizing.memory.estimate import GIB, MemoryEstimate

PLANS_SHOWN = 12
# Smaller components aren't worth a row.
SHOWN_BYTES = 5_000_000


@dataclass(frozen=True, kw_only=True)
class Column:
    """A table's column: its heading, and whether it holds numbers, or long text."""

    title: str
    number: bool = False
    wrap: bool = False


@dataclass(frozen=True, kw_only=True)
class Section:
    """One part of the page; `chart` names a chart that forms with pictures show above the table."""

    title: str
    note: str = ""
    chart: str | None = None
    columns: tuple[Column, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Page:
    """Title, the figures that matter most as (value, what it is), warnings, and the sections."""

    title: str
    subtitle: str
    figures: tuple[tuple[str, str], ...]
    warnings: tuple[str, ...]
    sections: tuple[Section, ...]


def made_on() -> str:
    """When a report was made, and by which version: prices and models change."""
    return f"made on {datetime.now(UTC).date()} by tunestack {version('tunestack')}"


def page_of(report: Report) -> Page:
    """The page of a report."""
    size = f", {report.parameters:,} parameters" if report.parameters else ""
    return Page(
        title=report.model,
        subtitle=f"environment {report.environment}, {report.region}{size}; {made_on()}",
        figures=tuple(_figures(report)),
        warnings=report.run.waived,
        sections=tuple(_sections(report)),
    )


def _figures(report: Report) -> Iterator[tuple[str, str]]:
    run, memory = report.run, report.memory
    yield usd(run.run_expected_usd), f"a run, {usd(run.run_low_usd)} to at most {usd(run.run_ceiling_usd)}"
    yield usd(report.month_usd), "a month before anything runs"
    if memory:
        yield _gib(memory.device_bytes), f"of GPU memory, {_gib(memory.low_bytes)} to {_gib(memory.high_bytes)}"


def _sections(report: Report) -> Iterator[Section]:
    if report.memory:
        yield _memory(report.memory)
    if report.plans:
        yield _plans(report)
    yield Section(
        title="What a run costs, step by step",
        chart="steps",
        columns=(
            Column(title="step"), Column(title="expected", number=True), Column(title="instance"),
            Column(title="hours", number=True), Column(title="$ an hour", number=True), Column(title="price of"),
        ),
        rows=tuple(_step(name, step) for name, step in report.run.steps.items()),
    )  # fmt: skip
    yield Section(
        title="What the stacks cost a month",
        columns=(Column(title="stack"), Column(title="a month", number=True), Column(title="made of", wrap=True)),
        rows=tuple((name, usd(stack.standing_usd), _made_of(stack)) for name, stack in report.stacks.items()),
    )
    plans = tuple(f"plans: {line}" for line in report.planning.assumptions) if report.planning else ()
    yield Section(title="Assumed", lines=(*report.run.assumptions, *plans))


def _memory(memory: MemoryEstimate) -> Section:
    totals = (
        f"allocated {_gib(memory.allocated_bytes)}, reserved {_gib(memory.reserved_bytes)}, on the device "
        f"{_gib(memory.device_bytes)} ({_gib(memory.low_bytes)} to {_gib(memory.high_bytes)})"
    )
    return Section(
        title="GPU memory of the training",
        note=f"At its peak, {memory.peak.name}: {totals}.",
        chart="memory",
        columns=(Column(title="component", wrap=True), Column(title="size", number=True), Column(title="how")),
        rows=tuple(
            (part.name, _gib(part.size_bytes), part.formula)
            for part in memory.peak.components
            if part.size_bytes > SHOWN_BYTES
        ),
    )


def _plans(report: Report) -> Section:
    shown = report.plans[:PLANS_SHOWN]
    # The configured one is always there, however dear it is.
    plans = shown + tuple(plan for plan in report.plans[PLANS_SHOWN:] if report.is_configured(plan))
    return Section(
        title="Where it fits: time and cost",
        note=f"{_why_configured(report)}Both axes are logarithmic; a line is the range of hours that the throughput's "
        "leaves open.",
        chart="plans",
        columns=(
            Column(title="instance", wrap=True),
            Column(title="on demand", number=True),
            Column(title="spot", number=True),
            Column(title="hours", number=True),
            Column(title="GPU memory", number=True),
            Column(title="quota"),
        ),
        rows=tuple(_plan(plan, configured=report.is_configured(plan)) for plan in plans),
    )  # fmt: skip


def _why_configured(report: Report) -> str:
    """What the configured instance type gains and costs beside the cheapest that this kit can use."""
    possible = [plan for plan in report.plans if plan.not_by_this_kit is None and plan.usd]
    chosen = next((plan for plan in possible if report.is_configured(plan)), None)
    if chosen is None or chosen.usd is None:
        return ""
    cheapest = possible[0]
    if cheapest is chosen or cheapest.usd is None:
        return f"{chosen.instance.name} is configured, and the cheapest that this kit can use. "
    more_expensive, faster = chosen.usd / cheapest.usd, cheapest.hours / chosen.hours
    speed = f"{faster:.1f} × as fast" if faster >= 1 else f"{1 / faster:.1f} × as slow"
    return (
        f"{chosen.instance.name} is configured (jobs.train.instance_type): {more_expensive:.2f} × the cost of "
        f"{cheapest.instance.name}, the cheapest, and {speed}. "
    )


def _plan(plan: Plan, *, configured: bool) -> tuple[str, ...]:
    count = f"{plan.candidate.count} × " if plan.candidate.count > 1 else ""
    return (
        f"{'→ ' if configured else ''}{count}{plan.instance.name}"
        f"{f' ({plan.not_by_this_kit})' if plan.not_by_this_kit else ''}{', configured' if configured else ''}",
        usd(plan.usd) if plan.price is None or plan.price.exact else f"~{usd(plan.usd)}",
        usd(plan.spot_usd),
        f"{plan.hours:.2f} ({plan.hours_low:.2f}–{plan.hours_high:.2f})",
        _gib(plan.candidate.memory.device_bytes),
        plan.quota.code if plan.quota else "unknown",
    )


def _step(name: str, step: StepCost) -> tuple[str, ...]:
    share = f" × {step.paid_share:.2f}" if step.paid_share < 1 else ""
    rate = "unknown" if step.usd_per_hour is None else f"{step.usd_per_hour}{share}"
    return (name, usd(step.expected_usd), step.instance_type, in_hours(step.expected_hours), rate, step.price_as_of)


def _made_of(stack: StackCost) -> str:
    parts = [f"{driver}: {usd(value)}" for driver, value in stack.drivers.items()] or ["billed by use"]
    if stack.unpriced:
        parts.append(f"without a known price: {', '.join(stack.unpriced)}")
    return "; ".join(parts)


def _gib(size_bytes: float) -> str:
    return f"{size_bytes / GIB:,.1f} GiB" if size_bytes >= GIB / 10 else f"{size_bytes / GIB:,.2f} GiB"
