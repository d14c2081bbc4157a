"""The accuracy benchmarks on the rows that ship: the targets that are met stay met, and odd rows are named, not fatal."""

import csv
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import memory_accuracy, throughput_accuracy
from benchmarks.spread import spread
from tests.conftest import ROOT

DATA = ROOT / "benchmarks" / "data"
MEMORY = [item for item in memory_accuracy.read(DATA / "memory.csv") if item.is_compared]


@pytest.mark.parametrize(
    ("which", "median", "p90"),
    [("all", 0.10, 0.30), ("training", 0.08, 0.20), ("inference", 0.05, 0.15)],
)
def test_memory_is_as_near_to_measured_peaks_as_promised(which: str, median: float, p90: float) -> None:
    rows = [
        item.error
        for item in MEMORY
        if which == "all"
        or (item.row["quality"] == "exact" and (item.row["method"] == "inference") == (which == "inference"))
    ]
    found = spread(rows)
    assert len(rows) > 60 and found.median <= median and found.p90 <= p90


def test_few_peaks_are_under_predicted_by_more_than_a_tenth() -> None:
    assert sum(item.error < -0.1 for item in MEMORY) / len(MEMORY) < 0.10


def test_what_fits_is_right_and_never_confidently_wrong() -> None:
    text = "\n".join(memory_accuracy.report(memory_accuracy.read(DATA / "memory.csv")))
    assert "39 of 39 right; a confident fit that ran out of memory: none" in text


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
