"""What your own trainings took, against what was expected: `tunestack calibrate` writes it, sizing and costs use it.

One row a training. What is expected of the next one on the same instance type is multiplied by the median of what was
measured over what was expected, and says so wherever it is used.
"""

import csv
import os
from collections.abc import Iterable
from dataclasses import dataclass, fields
from functools import cache
from io import StringIO
from pathlib import Path

from tunestack.errors import UserError
from tunestack.files import write_whole

# Beside the catalogue, so that who clones the kit has them; of an installed package, wherever the variable says.
VARIABLE = "TUNESTACK_OWN_RUNS"
FILE = Path(os.environ.get(VARIABLE) or Path(__file__).with_name("data") / "own_runs.csv")
CALIBRATE = "`tunestack calibrate` writes it again"
# What no GPU reserves or trains, in GiB and in tokens a second.
LEAST, MOST = 1e-6, 1e9
# Beyond what was measured, the next run may differ by so much of itself, up and down: after one run, and after many.
SPREAD_AFTER_ONE, SPREAD_AFTER_MANY, MANY = 0.3, 0.1, 5


@dataclass(frozen=True, kw_only=True)
class OwnRun:
    """One training: measured and expected, by the memory and the throughput model without any calibration."""

    execution: str
    measured_on: str
    instance_type: str
    model: str
    job: str
    tokens_per_second: float
    expected_tokens_per_second: float
    reserved_gib: float
    expected_reserved_gib: float


@dataclass(frozen=True, kw_only=True)
class Factor:
    """Measured over expected: the median of so many runs, the bounds of the next one, and which runs they were."""

    value: float
    low: float
    high: float
    executions: tuple[str, ...]

    def __str__(self) -> str:
        count = len(self.executions)
        runs = "one run of yours" if count == 1 else f"{count} runs of yours"
        return f"{self.value:.2f} × what was expected, after {runs} ({', '.join(self.executions[-3:])})"


def speed_factor(instance_type: str) -> Factor | None:
    """How fast your trainings on an instance type were, against the model; None where there were none."""
    return _factor(
        [(run.execution, run.tokens_per_second / run.expected_tokens_per_second) for run in _runs_on(instance_type)]
    )


def memory_factor(instance_type: str) -> Factor | None:
    """What PyTorch reserved of an instance type's GPU, against the model; None where there were no runs."""
    return _factor([(run.execution, run.reserved_gib / run.expected_reserved_gib) for run in _runs_on(instance_type)])


def _factor(ratios: list[tuple[str, float]]) -> Factor | None:
    if not ratios:
        return None
    # Heavy, and of no use to who has measured nothing.
    import statistics

    values = [ratio for _, ratio in ratios]
    share = min(1.0, (len(values) - 1) / (MANY - 1))
    spread = SPREAD_AFTER_ONE + share * (SPREAD_AFTER_MANY - SPREAD_AFTER_ONE)
    return Factor(
        value=statistics.median(values),
        low=min(values) * (1 - spread),
        high=max(values) * (1 + spread),
        executions=tuple(dict.fromkeys(name for name, _ in ratios)),
    )


def _runs_on(instance_type: str) -> list[OwnRun]:
    return [run for run in own_runs() if run.instance_type == instance_type]


@cache
def own_runs() -> tuple[OwnRun, ...]:
    """The trainings that were measured, oldest first; none where nothing was calibrated.

    Raises:
        UserError: the file is truncated or was edited into something else.
    """
    if not FILE.exists():
        return ()
    try:
        with FILE.open(encoding="utf-8", newline="") as lines:
            reader = csv.DictReader(lines)
            if tuple(reader.fieldnames or ()) != _columns():
                raise UserError(f"{FILE}: must have the columns {', '.join(_columns())}; {CALIBRATE}")
            return tuple(_parse(reader.line_num, row) for row in reader)
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{FILE}: not a table: {error}; {CALIBRATE}") from None


def keep_runs(runs: Iterable[OwnRun]) -> None:
    """Add trainings to the file, whole or not at all; of an execution that is there, the newer figures stay.

    Raises:
        UserError: the file can't be written.
    """
    kept = {run.execution: run for run in (*own_runs(), *runs)}
    out = StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_columns())
    for run in sorted(kept.values(), key=lambda item: (item.measured_on, item.execution)):
        writer.writerow([getattr(run, column) for column in _columns()])
    try:
        write_whole(FILE, out.getvalue())
    except OSError as error:
        raise UserError(f"{FILE}: can't be written: {error.strerror}; name another file in {VARIABLE}") from None
    own_runs.cache_clear()


def forget_runs() -> bool:
    """Delete the file; whether there was one."""
    existed = FILE.exists()
    FILE.unlink(missing_ok=True)
    own_runs.cache_clear()
    return existed


def _columns() -> tuple[str, ...]:
    return tuple(field.name for field in fields(OwnRun))


def _parse(line: int, row: dict[str, str]) -> OwnRun:
    numbers = ("tokens_per_second", "expected_tokens_per_second", "reserved_gib", "expected_reserved_gib")
    try:
        values = {name: float(row[name]) for name in numbers}
        if not all(LEAST < value < MOST for value in values.values()):
            raise ValueError
    except (TypeError, ValueError):
        raise UserError(
            f"{FILE}:{line}: {', '.join(numbers)} must be numbers from {LEAST:g} to {MOST:g}; {CALIBRATE}"
        ) from None
    return OwnRun(
        execution=row["execution"],
        measured_on=row["measured_on"],
        instance_type=row["instance_type"],
        model=row["model"],
        job=row["job"],
        **values,
    )
