"""The accuracy benchmarks on the rows that ship: the targets that are met stay met, and odd rows are named, not fatal."""

import csv
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from benchmarks import memory_accuracy, throughput_accuracy
from benchmarks.leave_one_out import coverage
from benchmarks.spread import spread
from tests.conftest import ROOT

DATA = ROOT / "benchmarks" / "data"
FILES = ("memory.csv", "memory_more.csv")


@cache
def memory(*, blind: bool) -> list[memory_accuracy.Result]:
    """Every row that ships; `blind` without who ran it and when."""
    return [item for name in FILES for item in memory_accuracy.read(DATA / name, blind=blind)]


def exact(*, blind: bool, inference: bool = False) -> list[memory_accuracy.Result]:
    return [
        item
        for item in memory(blind=blind)
        if item.is_compared and item.row["quality"] == "exact" and (item.row["method"] == "inference") == inference
    ]


@pytest.mark.parametrize(
    ("blind", "inference", "median", "p90"),
    [(False, False, 0.10, 0.30), (True, False, 0.20, 0.40), (False, True, 0.05, 0.15), (True, True, 0.05, 0.15)],
)
def test_memory_is_as_near_to_measured_peaks_as_promised(
    blind: bool, inference: bool, median: float, p90: float
) -> None:
    rows = exact(blind=blind, inference=inference)
    found = spread([item.error for item in rows])
    assert len(rows) > 90 and found.median <= median and found.p90 <= p90


@pytest.mark.parametrize("blind", [False, True])
def test_what_is_measured_lies_in_the_stated_range_and_seldom_far_above_the_figure(blind: bool) -> None:
    rows = exact(blind=blind)
    assert sum(item.is_inside for item in rows) / len(rows) >= 0.85
    if not blind:
        assert sum(item.error < -0.1 for item in rows) / len(rows) < 0.15


@pytest.mark.parametrize("blind", [False, True])
def test_what_fits_is_never_confidently_wrong(blind: bool) -> None:
    text = "\n".join(memory_accuracy.report(memory(blind=blind)))
    assert re.search(r"(\d+) of \1 right; a confident fit that ran out of memory: none", text)


def test_a_stack_that_nobody_knows_and_a_cell_that_is_empty_widen_the_range() -> None:
    (row,) = [item.row for item in memory(blind=False) if item.row["id"] == "torchtune-013"]
    known, unknown, empty = (
        memory_accuracy.predict({**row, **change}).found
        for change in ({}, {"stack": "other:somebody"}, {"grad_checkpointing": ""})
    )
    assert known and unknown and empty
    assert unknown.low_bytes <= 1.001 * known.low_bytes and unknown.high_bytes > 1.3 * known.high_bytes
    assert empty.high_bytes > 1.3 * known.high_bytes and empty.device_bytes == known.device_bytes


def test_a_range_can_be_fitted_without_the_source_that_it_is_judged_on() -> None:
    class Made:
        is_inside = True

        def __init__(self, source: str, ratio: float) -> None:
            self.row, self.ratio = {"source": source, "method": "lora", "n_gpus": "1"}, ratio

    # Two sources that agree, and one that is far off: by its own rows it would be inside.
    rows = [Made(source, 1 + index / 100) for source in "ab" for index in range(30)]
    rows += [Made("c", 3.0)] * 5
    *_, line = coverage(rows)
    assert line.startswith("| one GPU | 65 | 3 | 100% | 8") and "100% of" not in line


def test_throughput_is_as_near_to_published_logs_as_promised() -> None:
    compared = [item for item in throughput_accuracy.read(DATA / "throughput.csv") if item.found and item.measured]
    found = spread([item.error for item in compared])
    assert len(compared) == 80 and found.median <= 0.20 and found.p90 <= 0.50
    assert sum(item.inside for item in compared) / len(compared) >= 0.85


def test_a_row_is_predicted_from_its_settings_alone() -> None:
    with (DATA / "memory.csv").open() as lines:
        row = next(csv.DictReader(lines))
    other = {**row, "id": "x", "source": "y", "note": "z", "peak_gb": "999", "quality": "rounded"}
    first, second = memory_accuracy.predict(row).found, memory_accuracy.predict(other).found
    assert first is not None and second is not None and first.allocated_bytes == second.allocated_bytes


ODD = ("", "something else", "-1", "0", "12.5", "∞", "inf", "nan", "²", "9" * 40)


@pytest.mark.parametrize("name", ["memory", "throughput"])
def test_odd_rows_get_a_reason_or_nothing_and_never_a_traceback(name: str, tmp_path: Path) -> None:
    with (DATA / f"{name}.csv").open() as lines:
        rows = [
            row for row in csv.DictReader(lines) if row.get("id") in (None, "litgpt-001", "litgpt-039", "swift-025")
        ][:3]
    columns = list(rows[0])
    table, out = tmp_path / "odd.csv", tmp_path / "out.csv"
    with table.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows({**row, column: value} for row in rows for column in columns for value in ODD)
    script = ROOT / "benchmarks" / f"{name}_accuracy.py"
    done = subprocess.run([sys.executable, script, table, "--out", out], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-1500:]
    with out.open() as lines:
        assert len(list(csv.DictReader(lines))) == len(ODD) * len(rows) * len(columns)


@pytest.mark.parametrize("name", ["memory", "throughput"])
def test_a_table_without_rows_has_no_accuracy_and_one_without_columns_is_refused(name: str, tmp_path: Path) -> None:
    def run(content: str) -> "subprocess.CompletedProcess[str]":
        table = tmp_path / "table.csv"
        table.write_text(content)
        script = ROOT / "benchmarks" / f"{name}_accuracy.py"
        return subprocess.run(
            [sys.executable, script, table, "--out", tmp_path / "out.csv"], capture_output=True, text=True
        )

    header = (DATA / f"{name}.csv").read_text().splitlines()[0]
    assert run(header + "\n").returncode == 0
    refused = run("a,b\n1,2\n")
    assert refused.returncode == 1 and "table.csv: no column " in refused.stderr and "Traceback" not in refused.stderr
