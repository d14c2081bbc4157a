"""The report's charts, with plotly: on a transparent ground and in greys that read on light and dark."""

import plotly.graph_objects as go

from tunestack.report.content import Report
from tunestack.sizing.memory.estimate import GIB

GREY = "#7a7f87"
LAYOUT = {
    "paper_bgcolor": "rgba(0,0,0,0)",
    "plot_bgcolor": "rgba(0,0,0,0)",
    "font": {"color": GREY, "size": 13},
    "margin": {"l": 10, "r": 10, "t": 10, "b": 10},
    "colorway": [
        "#4e79a7",
        "#f28e2b",
        "#59a14f",
        "#e15759",
        "#76b7b2",
        "#b07aa1",
        "#edc948",
        "#9c755f",
        "#bab0ac",
        "#86bcb6",
        "#ff9da7",
        "#d4a6c8",
        "#8cd17d",
        "#a0cbe8",
    ],
}
AXIS = {"gridcolor": "rgba(122,127,135,0.25)", "zerolinecolor": "rgba(122,127,135,0.4)", "automargin": True}
SMALLEST_SHOWN = 0.005
PLANS_SHOWN = 30
# Of logarithmic axes.
TICKS = [digit * 10**power for power in range(-2, 5) for digit in (1, 2, 5)]


def memory_chart(report: Report) -> go.Figure:
    """Each phase's components, in GiB: the longest bar is the peak."""
    assert report.memory is not None
    phases = [phase for phase in report.memory.phases if phase.size_bytes]
    names = list(dict.fromkeys(part.name for phase in phases for part in phase.components))
    least = SMALLEST_SHOWN * report.memory.allocated_bytes
    figure = go.Figure()
    for name in names:
        sizes = [sum(part.size_bytes for part in phase.components if part.name == name) for phase in phases]
        if max(sizes) >= least:
            figure.add_bar(
                y=[phase.name for phase in phases], x=[size / GIB for size in sizes], name=name, orientation="h",
                hovertemplate=f"{name}: %{{x:.2f}} GiB<extra>%{{y}}</extra>",
            )  # fmt: skip
    figure.update_layout(
        **LAYOUT, barmode="stack", height=420,
        legend={"orientation": "h", "y": -0.28, "yanchor": "top", "x": 0, "xanchor": "left", "font": {"size": 11}},
    )  # fmt: skip
    figure.update_xaxes(**AXIS, title="GiB on one GPU")
    figure.update_yaxes(automargin=True, autorange="reversed")
    return figure


def plans_chart(report: Report) -> go.Figure:
    """The plans by time and cost, each with the range that its throughput leaves open."""
    plans = report.plans[:PLANS_SHOWN]
    figure = go.Figure()
    figure.add_scatter(
        x=[plan.hours for plan in plans], y=[plan.usd for plan in plans], mode="markers", name="on demand",
        marker={"size": 10},
        error_x={
            "type": "data", "symmetric": False, "thickness": 1, "width": 0, "color": "rgba(122,127,135,0.45)",
            "array": [plan.hours_high - plan.hours for plan in plans],
            "arrayminus": [plan.hours - plan.hours_low for plan in plans],
        },
        text=[f"{plan.candidate.count} × {plan.instance.name}" for plan in plans],
        hovertemplate="%{text}<br>%{x:.2f} h, $%{y:.2f}<extra></extra>",
    )  # fmt: skip
    figure.add_scatter(
        x=[plan.hours for plan in plans], y=[plan.spot_usd for plan in plans], mode="markers", name="spot",
        marker={"size": 7, "symbol": "diamond-open"}, text=[plan.instance.name for plan in plans],
        hovertemplate="%{text}, spot<br>%{x:.2f} h, $%{y:.2f}<extra></extra>",
    )  # fmt: skip
    figure.update_layout(**LAYOUT, height=420, legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0})
    figure.update_xaxes(**AXIS, title="hours", type="log", tickvals=TICKS)
    figure.update_yaxes(**AXIS, title="$", type="log", tickvals=TICKS)
    return figure


def loss_chart(history: list[dict[str, float]]) -> go.Figure:
    """The training's loss by step, and the validation's where it was measured."""
    figure = go.Figure()
    for name, title in (("loss", "training"), ("eval_loss", "validation")):
        points = [(item["step"], item[name]) for item in history if name in item]
        if points:
            figure.add_scatter(
                x=[step for step, _ in points], y=[loss for _, loss in points], name=title, mode="lines+markers",
                hovertemplate="step %{x}: %{y:.3f}<extra>" + title + "</extra>",
            )  # fmt: skip
    figure.update_layout(**LAYOUT, height=320, legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0})
    figure.update_xaxes(**AXIS, title="step")
    figure.update_yaxes(**AXIS, title="loss")
    return figure


def steps_chart(report: Report) -> go.Figure:
    """What each step of a run is expected to cost."""
    steps = report.run.steps
    figure = go.Figure()
    figure.add_bar(
        x=list(steps), y=[step.expected_usd or 0 for step in steps.values()],
        customdata=[[step.instance_type, step.expected_hours] for step in steps.values()],
        hovertemplate="%{x} on %{customdata[0]}: $%{y:.2f}, %{customdata[1]:.2f} h<extra></extra>",
    )  # fmt: skip
    figure.update_layout(**LAYOUT, height=320, showlegend=False)
    figure.update_xaxes(automargin=True)
    figure.update_yaxes(**AXIS, title="$ a run")
    return figure
