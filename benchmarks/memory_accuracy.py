"""How far the memory model is from measured figures: `python -m benchmarks.memory_accuracy CSV [--out FILE]`."""

import csv
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import click

from benchmarks.leave_one_out import coverage, source_of
from benchmarks.memory_rows import estimate
from benchmarks.row_words import UnknownSettings, billions
from benchmarks.spread import spread
from benchmarks.table import Row, positive, read_rows
from tunestack.catalogue.gpus import usable_bytes
from tunestack.errors import UserError
from tunestack.sizing.memory.estimate import GIB, MemoryEstimate

# What a row must say of itself; what it doesn't say of its settings, it may leave empty.
COLUMNS = (
    "id", "model", "params_b", "layers", "hidden", "intermediate", "heads", "kv_heads", "head_dim", "vocab",
    "tied_embeddings", "method", "weight_dtype", "quant", "double_quant", "lora_rank", "lora_targets", "optimizer",
    "micro_batch", "seq_len", "grad_checkpointing", "flash_attention", "fused_ce", "n_gpus", "parallelism", "gpu_model",
    "peak_gb", "unit", "unit_bytes", "stat", "scope", "kind", "quality", "source",
)  # fmt: skip
OUT_COLUMNS = ("id", "allocated_bytes", "reserved_bytes", "device_bytes", "fits", "not_predicted_because")


@dataclass(frozen=True)
class Result:
    """One row, and what the model says of it, or why it says nothing."""

    row: Row
    found: MemoryEstimate | None
    reason: str = ""

    @property
    def measured_bytes(self) -> float | None:
        peak = positive(self.row["peak_gb"])
        return peak * _unit_bytes(self.row) if peak else None

    @property
    def is_compared(self) -> bool:
        """Whether the row has a measured figure, and the model one beside it."""
        return self.found is not None and self.row["kind"] == "measured" and self.measured_bytes is not None

    @property
    def predicted_bytes(self) -> float:
        """In the same sense as the figure: allocated, reserved or device-used, per GPU or over all."""
        assert self.found is not None
        stat = self.row["stat"]
        each = {
            "allocated": self.found.allocated_bytes, "active": self.found.allocated_bytes,
            "reserved": self.found.reserved_bytes, "nvidia-smi": self.found.device_bytes,
        }.get(stat)  # fmt: skip
        if each is None and not self.row["unit_bytes"] and not self.row.get("stack"):
            # Whoever read it, read it off nvidia-smi; a framework prints what its allocator says.
            each = self.found.device_bytes
        if each is None:
            each = self.found.allocated_bytes if self.row["method"] == "inference" else self.found.reserved_bytes
        return each * (int(positive(self.row["n_gpus"]) or 1) if self.row["scope"] == "total" else 1)

    @property
    def ratio(self) -> float:
        """Measured over predicted."""
        assert self.measured_bytes is not None
        return self.measured_bytes / self.predicted_bytes

    @property
    def is_inside(self) -> bool:
        """Whether what was measured lies in the range; of paged, reserved and device memory it is the same."""
        assert self.found is not None
        return self.found.low <= self.ratio <= self.found.high

    @property
    def error(self) -> float:
        assert self.measured_bytes is not None
        return self.predicted_bytes / self.measured_bytes - 1


def _unit_bytes(row: Row) -> float:
    """Bytes of the row's unit. Where it isn't proven, GB as PyTorch users print it: 1024³."""
    return positive(row["unit_bytes"]) or {"MB": GIB / 1024, "MiB": GIB / 1024, "TB": 1e12}.get(row["unit"], float(GIB))


def predict(row: Row) -> Result:
    try:
        return Result(row, estimate(row))
    except (UnknownSettings, UserError) as error:
        return Result(row, None, str(error))


@click.command()
@click.argument("table_file", metavar="TABLE", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write a row per input row.")
@click.option("--blind", is_flag=True, help="Without the columns stack, stack_version and date.")
@click.option("--worst", default=0, help="Show so many rows with the largest errors.")
def main(table_file: Path, out: Path | None, blind: bool, worst: int) -> None:
    """Compare the memory model with the measured peaks of a TABLE with the columns of memory.csv."""
    results = read(table_file, blind=blind)
    if out:
        write(out, results)
    for line in report(results):
        click.echo(line)
    compared = [item for item in results if item.is_compared]
    for item in sorted(compared, key=lambda item: -abs(item.error))[:worst]:
        click.echo(f"{item.error:+7.1%}  {item.predicted_bytes / GIB:7.2f} GiB predicted  {item.row['id']}")


def read(file: Path, *, blind: bool = False) -> list[Result]:
    """The rows of a file, predicted; `blind`: without who ran them, and when."""
    hidden = dict.fromkeys(("stack", "stack_version", "date"), "") if blind else {}
    return [predict({**row, **hidden}) for row in read_rows(file, columns=COLUMNS)]


def table(*files: Path, blind: bool = False) -> Iterable[str]:
    """The accuracy on the rows of files, as Markdown."""
    return report([item for file in files for item in read(file, blind=blind)])


def report(results: list[Result]) -> Iterable[str]:
    measured = [item for item in results if item.is_compared]
    yield "| rows | count | sources | median | p90 | worst | bias | under by > 10 % | in range |"
    yield "|---|---|---|---|---|---|---|---|---|"
    training = [item for item in measured if item.row["method"] != "inference"]
    inference = [item for item in measured if item.row["method"] == "inference"]
    yield _line("all measured, settings known", measured)
    yield _line("training", training)
    yield _line("training, exact", [item for item in training if item.row["quality"] == "exact"])
    yield _line("inference", inference)
    yield _line("inference, exact", [item for item in inference if item.row["quality"] == "exact"])
    usable = [item for item in measured if item.row["quality"] not in ("load_peak", "suspect")]
    yield _line("without load_peak and suspect", usable)
    groups: dict[str, Callable[[Row], str]] = {
        "stack": lambda row: row.get("stack", "") or "not said",
        "method": lambda row: row["method"],
        "quantisation": lambda row: row["quant"] or "none",
        "size": lambda row: _size(billions(row)),
        "source": source_of,
    }
    for group, key in groups.items():
        for value in sorted({key(item.row) for item in measured}):
            yield _line(f"{group}: {value}", [item for item in measured if key(item.row) == value])
    yield ""
    yield from coverage(measured)
    yield ""
    yield from _fits(results)
    skipped = [item for item in results if not item.found and item.row["kind"] == "measured"]
    yield f"{len(skipped)} measured rows without a prediction: settings missing or unknown."


def _line(name: str, items: list[Result]) -> str:
    if not items:
        return f"| {name} | 0 | | | | | | | |"
    errors = [item.error for item in items]
    found = spread(errors)
    under = sum(error < -0.1 for error in errors) / len(errors)
    inside = sum(item.is_inside for item in items) / len(items)
    return (
        f"| {name} | {len(items)} | {len({source_of(item.row) for item in items})} | {found.median:.1%} | "
        f"{found.p90:.1%} | {found.worst:.1%} | {found.bias:+.1%} | {under:.0%} | {inside:.0%} |"
    )


def _size(billions: float) -> str:
    bounds = ((2, "up to 2B"), (5, "2B to 5B"), (10, "5B to 10B"), (20, "10B to 20B"), (50, "20B to 50B"))
    return next((name for bound, name in bounds if billions <= bound), "above 50B")


def _fits(results: list[Result]) -> Iterable[str]:
    bounds = [item for item in results if item.found and item.row["kind"] in ("fits", "does_not_fit")]
    right, dangerous = 0, []
    for item in bounds:
        answer = item.found.fits(_capacity(item.row)) if item.found else "no"
        does = item.row["kind"] == "fits"
        right += answer != "no" if does else answer != "yes"
        if not does and answer == "yes":
            dangerous.append(item.row["id"])
    yield (
        f"fits / does not fit: {right} of {len(bounds)} right; "
        f"a confident fit that ran out of memory: {dangerous or 'none'}"
    )


def _capacity(row: Row) -> float:
    return usable_bytes(row["gpu_model"]) or usable_bytes(f"{row['peak_gb']} GB card") or 0.0


def write(out: Path, results: list[Result]) -> None:
    with out.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, OUT_COLUMNS)
        table.writeheader()
        for item in results:
            found = item.found
            table.writerow({
                "id": item.row["id"],
                "allocated_bytes": round(found.allocated_bytes) if found else "",
                "reserved_bytes": round(found.reserved_bytes) if found else "",
                "device_bytes": round(found.device_bytes) if found else "",
                "fits": found.fits(capacity) if found and (capacity := usable_bytes(item.row["gpu_model"])) else "",
                "not_predicted_because": item.reason,
            })  # fmt: skip


if __name__ == "__main__":
    main()
