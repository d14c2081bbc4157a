"""The report's charts, as Altair makes them: on no ground of their own, in colours that read on light and dark."""

from typing import Any

import altair as alt

from tunestack.planning import Plan
from tunestack.report.content import Report
from tunestack.sizing.memory.estimate import GIB

GREY, WIDTH = "#7a7f87", 560
# Each far from the others, on white and on black, and for most who see few colours: Tableau's ten and four more.
COLORS = (
    "#4e79a7", "#f28e2b", "#59a14f", "#e15759", "#76b7b2", "#edc948", "#b07aa1",
    "#9c755f", "#ff9da7", "#8c8c8c", "#2f4b9c", "#a6d854", "#8b1a4a", "#17becf",
)  # fmt: skip
# A smaller part of a phase can't be seen.
SMALLEST_SHOWN = 0.005
PLANS_SHOWN = 30
_LOG = alt.Scale(type="log", nice=False, padding=24)
# Pixels beside a chart: a browser's font may be wider than the one that the labels were measured in.
_PADDING = {"left": 44, "right": 24, "top": 5, "bottom": 5}


def memory_chart(report: Report) -> alt.Chart:
    """Each phase's components, in GiB: the longest bar is the peak."""
    assert report.memory is not None
    phases = [phase for phase in report.memory.phases if phase.size_bytes]
    least = SMALLEST_SHOWN * report.memory.allocated_bytes
    rows = [
        {"phase": phase.name, "component": part.name, "gib": part.size_bytes / GIB}
        for phase in phases
        for part in phase.components
        if part.size_bytes >= least
    ]
    names = list(dict.fromkeys(row["component"] for row in rows))
    chart = alt.Chart(alt.Data(values=rows)).mark_bar().encode(
        y=alt.Y("phase:N", sort=[phase.name for phase in phases], title=None),
        x=alt.X("sum(gib):Q", title="GiB on one GPU"),
        color=alt.Color(
            "component:N", sort=names, title=None,
            scale=alt.Scale(domain=names, range=list(COLORS)),
            legend=alt.Legend(orient="bottom", columns=2, columnPadding=60, labelLimit=260),
        ),
    )  # fmt: skip
    peak = report.memory.peak
    return _drawn(
        chart, 46 * len(phases), f"GPU memory by phase; the peak, {peak.name}, is made of the parts listed below"
    )


def plans_chart(report: Report) -> alt.LayerChart:
    """The plans by time and cost, each with the range that its throughput leaves open; the configured one is ringed."""
    plans = report.plans[:PLANS_SHOWN]
    rows = [row for plan in plans for row in _points(plan, configured=report.is_configured(plan))]
    base = alt.Chart(alt.Data(values=rows)).encode(
        x=alt.X("hours:Q", scale=_LOG, title="hours", axis=_log_axis(plan.hours for plan in plans)),
        y=alt.Y("usd:Q", scale=_LOG, title="$", axis=_log_axis(row["usd"] for row in rows)),
    )
    ranges = base.mark_rule(opacity=0.4, color=GREY).encode(x="low:Q", x2="high:Q").transform_filter("datum.low")
    points = base.mark_point(size=70).encode(
        color=alt.Color("price:N", title=None, scale=alt.Scale(range=list(COLORS)), legend=alt.Legend(orient="top")),
        shape=alt.Shape("price:N", title=None, scale=alt.Scale(range=["circle", "diamond"])),
    )
    chosen = base.transform_filter("datum.configured")
    ring = chosen.mark_point(size=260, color=GREY, strokeWidth=2)
    name = chosen.mark_text(dy=-16, color=GREY, fontSize=12).encode(text="name:N")
    return _drawn(
        alt.layer(ranges, points, ring, name),
        340,
        "Hours and cost of each plan, on demand and on spot; the table lists them",
    )


def loss_chart(history: list[dict[str, float]]) -> alt.Chart:
    """The training's loss by step, and the validation's where it was measured."""
    rows = [
        {"step": item["step"], "loss": item[name], "of": title}
        for name, title in (("loss", "training"), ("eval_loss", "validation"))
        for item in history
        if name in item
    ]
    chart = alt.Chart(alt.Data(values=rows)).mark_line(point=True).encode(
        x=alt.X("step:Q", title="step"),
        y=alt.Y("loss:Q", title="loss", scale=alt.Scale(zero=False)),
        color=alt.Color("of:N", title=None, scale=alt.Scale(range=list(COLORS)), legend=alt.Legend(orient="top")),
    )  # fmt: skip
    trained = [row for row in rows if row["of"] == "training"]
    said = f", from {trained[0]['loss']:.3f} to {trained[-1]['loss']:.3f}" if trained else ""
    return _drawn(chart, 280, f"The loss by step{said}")


def steps_chart(report: Report) -> alt.Chart:
    """What each step of a run is expected to cost."""
    steps = report.run.steps
    rows = [{"step": name, "usd": step.expected_usd or 0} for name, step in steps.items()]
    chart = alt.Chart(alt.Data(values=rows)).mark_bar(color=COLORS[0]).encode(
        y=alt.Y("step:N", sort=list(steps), title=None), x=alt.X("usd:Q", title="$ a run"),
    )  # fmt: skip
    return _drawn(chart, 34 * len(rows), "What each step of a run is expected to cost; the table has the figures")


def svg(chart: alt.Chart | alt.LayerChart) -> str:
    """A chart as SVG, which needs no script and prints; its description stands for it where it isn't seen."""
    import vl_convert

    text: str = vl_convert.vegalite_to_svg(chart.to_json())
    return text.replace("<svg ", f'<svg role="img" aria-label="{chart.description}" ', 1)


def _points(plan: Plan, *, configured: bool) -> list[dict[str, Any]]:
    name = f"{plan.candidate.count} × {plan.instance.name}" if plan.candidate.count > 1 else plan.instance.name
    shared = {"name": f"{name}, configured", "hours": plan.hours}
    spread = {"low": plan.hours_low, "high": plan.hours_high, "configured": configured}
    return [
        shared | spread | {"price": "on demand", "usd": plan.usd},
        shared | {"price": "spot", "usd": plan.spot_usd},
    ]


def _log_axis(values: Any) -> alt.Axis:
    """Ticks at 1, 2 and 5 of each power of ten that the values span."""
    found = [value for value in values if value]
    ticks = [digit * 10.0**power for power in range(-3, 6) for digit in (1, 2, 5)]
    shown = [tick for tick in ticks if min(found) / 2 <= tick <= max(found) * 2] if found else ticks
    return alt.Axis(values=shown, format="~g")


def _drawn(chart: Any, height: int, description: str) -> Any:
    """A chart in its size and in the greys of the page."""
    soft = {"gridColor": GREY, "gridOpacity": 0.25, "domainColor": GREY, "tickColor": GREY}
    words = {"labelColor": GREY, "titleColor": GREY, "labelFontSize": 13, "titleFontSize": 13}
    return (
        chart.properties(width=WIDTH, height=height, description=description, padding=_PADDING)
        .configure(background="transparent", font="sans-serif")
        .configure_axis(**soft, **words, labelLimit=220)
        .configure_legend(labelColor=GREY, labelFontSize=12)
        .configure_view(strokeOpacity=0)
    )
