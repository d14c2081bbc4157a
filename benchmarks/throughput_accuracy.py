"""How far throughput is from published logs: `python -m benchmarks.throughput_accuracy CSV [--out FILE]`."""

import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import click

from benchmarks.spread import spread
from benchmarks.table import Row, positive, read_rows
from tunestack.catalogue.gpus import find_gpu
from tunestack.catalogue.models import model_configs
from tunestack.errors import UserError
from tunestack.sizing.job.fine_tuning import FineTuning
from tunestack.sizing.memory.training_memory import training_memory
from tunestack.sizing.model.architecture import Architecture
from tunestack.sizing.model.families import from_config
from tunestack.sizing.speed.throughput import Network, Throughput, Work, throughput

COLUMNS = (
    "source_id", "model", "params_b", "method", "precision", "gpu", "n_gpus", "micro_batch", "grad_accum", "seq",
    "tokens_per_s_per_gpu", "samples_per_s",
)  # fmt: skip
ADDED = ("predicted_tokens_per_s_per_gpu", "low", "high")
MACHINE = Network(gpus_per_machine=8, gbit_per_s=1600)


@dataclass(frozen=True)
class Result:
    """One row, the model's rate and the measured one, tokens per second and GPU, where each is known."""

    row: Row
    found: Throughput | None
    measured: float | None

    @property
    def error(self) -> float:
        assert self.found and self.measured
        return self.found.tokens_per_second / self.measured - 1

    @property
    def inside(self) -> bool:
        assert self.found and self.measured
        return self.found.low <= self.measured <= self.found.high


def predict(row: Row) -> Result:
    try:
        return Result(row, _rate(row), _measured(row))
    except UserError:
        return Result(row, None, _measured(row))


def _rate(row: Row) -> Throughput | None:
    """What the model says of a row, or None where it says too little.

    Raises:
        UserError: its settings can't be.
    """
    gpu = find_gpu(row["gpu"])
    sequence = re.search(r"\d+", row["seq"])
    method = next((name for name in ("qlora", "lora", "full") if name in row["method"].lower()), None)
    architecture = _architecture(row)
    if gpu is None or sequence is None or method is None or architecture is None:
        return None
    gpus = _whole(row["n_gpus"])
    job = FineTuning(
        method="full" if method == "full" else "lora",
        quantization="nf4" if method == "qlora" else "none",
        per_device_train_batch_size=_whole(row["micro_batch"]),
        max_length=max(1, int(sequence.group())),
        gpus=gpus,
        sharding="fsdp" if gpus > 1 else "none",
        gradient_accumulation_steps=_whole(row["grad_accum"]),
        # Rows don't say it; loops made for many GPUs, of which most rows are, reduce at every micro-step.
        sync_each_batch=True,
    )
    # Rows don't say it: activations are recomputed where they wouldn't fit, and with adapters on one GPU, as PEFT's
    # guides and TRL's defaults have it.
    kept = replace(job, checkpointing="none", loss="chunked", attention="flash")
    alone = job.method == "lora" and gpus == 1
    if not alone and training_memory(architecture, kept).device_bytes <= gpu.usable_bytes:
        job = replace(job, checkpointing="none")
    return throughput(Work.of(architecture), job, gpu, network=MACHINE, fp8="fp8" in row["precision"].lower())


def _whole(text: str) -> int:
    """A count of at least 1; 1 where the cell has none."""
    found = re.search(r"\d+", text)
    return max(1, int(found.group())) if found else 1


def _architecture(row: Row) -> Architecture | None:
    """The preset that the row names, else a GPT of its parameter count in the usual shape of that size."""
    name = row["model"].lower()
    for hub_id, config in model_configs().items():
        if hub_id.lower().rpartition("/")[2].removesuffix("-hf").removesuffix("-instruct") == name:
            return from_config(config, name=hub_id)
    billions = positive(row["params_b"])
    if not billions or billions < 0.05:
        return None
    # 12 × depth × width²: 32 layers at 6.7B, 80 at 65B; the width follows.
    depth = round(32 * (billions / 6.7) ** 0.4)
    hidden = round((billions * 1e9 / 12 / depth) ** 0.5 / 128) * 128
    shape = {
        "model_type": "gpt_neox", "hidden_size": hidden, "num_attention_heads": hidden // 128, "vocab_size": 50432,
        "num_hidden_layers": depth, "intermediate_size": 4 * hidden, "tie_word_embeddings": True,
    }  # fmt: skip
    return from_config(shape, name=row["model"])


def _measured(row: Row) -> float | None:
    if rate := positive(row["tokens_per_s_per_gpu"]):
        return rate
    samples = positive(row["samples_per_s"])
    return samples * int(row["seq"]) / _whole(row["n_gpus"]) if samples and row["seq"].isdecimal() else None


@click.command()
@click.argument("table_file", metavar="TABLE", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write the rows with the predictions.")
@click.option("--worst", default=0, help="Show so many rows with the largest errors.")
def main(table_file: Path, out: Path | None, worst: int) -> None:
    """Compare the throughput model with a TABLE that has the columns of throughput.csv."""
    results = read(table_file)
    if out:
        with out.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, [*(results[0].row if results else COLUMNS), *ADDED])
            writer.writeheader()
            writer.writerows(_out(item) for item in results)
    for line in report(results):
        click.echo(line)
    for item in sorted(_compared(results), key=lambda item: -abs(item.error))[:worst]:
        assert item.found
        click.echo(
            f"{item.error:+7.1%} {item.found.tokens_per_second:8.0f} {item.measured:8.0f} {item.row['source_id']} "
            f"{item.row['model']} {item.row['method']} {item.row['gpu']} × {item.row['n_gpus']}"
        )


def read(file: Path) -> list[Result]:
    """The rows of a file, predicted."""
    return [predict(row) for row in read_rows(file, columns=COLUMNS)]


def table(file: Path) -> Iterable[str]:
    """The accuracy on a file's rows, as Markdown."""
    return report(read(file))


def report(results: list[Result]) -> Iterable[str]:
    compared = _compared(results)
    yield "| rows | count | median | p90 | bias | inside the range |"
    yield "|---|---|---|---|---|---|"
    if not compared:
        return
    yield _line("all", compared)
    for column in ("gpu", "method", "source_id"):
        for value in sorted({item.row[column] for item in compared}):
            yield _line(f"{column}: {value}", [item for item in compared if item.row[column] == value])


def _compared(results: list[Result]) -> list[Result]:
    return [item for item in results if item.found and item.measured]


def _out(item: Result) -> dict[str, object]:
    found = item.found
    values = (found.tokens_per_second, found.low, found.high) if found else ("", "", "")
    return {**item.row, **dict(zip(ADDED, values, strict=True))}


def _line(name: str, items: list[Result]) -> str:
    found = spread([item.error for item in items])
    inside = sum(item.inside for item in items) / len(items)
    return f"| {name} | {len(items)} | {found.median:.1%} | {found.p90:.1%} | {found.bias:+.1%} | {inside:.0%} |"


if __name__ == "__main__":
    main()
