"""Measured against predicted, a panel for each stack: docs/images/accuracy.svg."""

from pathlib import Path

import altair as alt
import vl_convert

from benchmarks import gpu_accuracy, memory_accuracy
from benchmarks.gpu_accuracy import Measured
from benchmarks.memory_accuracy import Result
from tunestack.sizing.memory.estimate import GIB

DATA = Path(__file__).parents[1] / "benchmarks" / "data"
FILES, OWN = ("memory.csv", "memory_more.csv"), ("gpu_first.csv", "gpu_blind.csv", "gpu_other.csv")
# What no job's own settings explain; the page says which.
LEFT_OUT = ("suspect", "settings_missing")
BLUE, GREY = "#0b5394", "#777777"
TICKS = [1, 2, 5, 10, 20, 50, 100]


def accuracy_picture() -> str:
    """An SVG: each row a point with the range that was stated for it, and the line where both are equal."""
    rows = [_point(item) for name in FILES for item in memory_accuracy.read(DATA / name) if _is_shown(item)]
    rows += [_own(item) for name in OWN for item in gpu_accuracy.read(DATA / name)]
    scale = alt.Scale(type="log", domain=[0.8, 200], clamp=True)
    axis = alt.Axis(values=TICKS, grid=True, format="d")
    base = alt.Chart(alt.Data(values=rows))
    points = base.mark_circle(size=22, opacity=0.65, color=BLUE).encode(
        x=alt.X("measured:Q", scale=scale, axis=axis, title="measured, GiB"),
        y=alt.Y("predicted:Q", scale=scale, axis=axis, title="predicted, GiB"),
    )
    ranges = base.mark_rule(opacity=0.25, color=BLUE).encode(
        x=alt.X("measured:Q", scale=scale), y=alt.Y("low:Q", scale=scale), y2="high:Q"
    )
    equal = base.mark_line(color=GREY, strokeDash=[4, 3]).encode(
        x=alt.X("measured:Q", scale=scale), y=alt.Y("measured:Q", scale=scale)
    )
    panels = alt.layer(ranges, equal, points).properties(width=200, height=200)
    chart = panels.facet(facet=alt.Facet("stack:N", title=None, sort="ascending"), columns=4).configure_view(
        stroke=None
    )
    return str(vl_convert.vegalite_to_svg(chart.to_json()))


def _own(item: Measured) -> dict[str, float | str]:
    found = item.found
    return {
        "stack": "tunestack, on an H200 and an H100",
        "measured": float(item.row["device_gib"]),
        "predicted": round(found.device_bytes / GIB, 2),
        "low": round(found.low_bytes / GIB, 2),
        "high": round(found.high_bytes / GIB, 2),
    }


def _is_shown(item: Result) -> bool:
    return item.is_compared and item.row["quality"] not in LEFT_OUT


def _point(item: Result) -> dict[str, float | str]:
    assert item.found is not None and item.measured_bytes is not None
    predicted = item.predicted_bytes / GIB
    return {
        "stack": item.row["stack"].removeprefix("other:"),
        "measured": round(item.measured_bytes / GIB, 2),
        "predicted": round(predicted, 2),
        "low": round(predicted * item.found.low, 2),
        "high": round(predicted * item.found.high, 2),
    }
