"""How far the memory model is from jobs sharded over ranks that weren't there: `python -m benchmarks.sharded_accuracy`.

The table is what `benchmarks.gpu_sharded` writes.
"""

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import click

from benchmarks.gpu_accuracy import Measured
from tunestack.sizing import FineTuning, MemoryEstimate, find_model, find_trainer, training_memory
from tunestack.sizing.kinds import Checkpointing
from tunestack.sizing.memory.estimate import GIB

DATA = Path(__file__).parent / "data" / "gpu_sharded.csv"
# Months of torchtitan by what it compiles and shards: see `tunestack.sizing.trainers.known`.
PLAIN_LOSS, COMPILED_LOSS, OWN_UNITS = "2024-12", "2025-06", "2025-09"


def read(file: Path = DATA) -> list[Measured]:
    """The cases of a table that came to their end."""
    with file.open(encoding="utf-8") as lines:
        return [Measured(row, predict(row)) for row in csv.DictReader(lines) if row["allocated_gib"]]


def predict(row: dict[str, Any]) -> MemoryEstimate:
    """What the model says of a case, by its columns."""
    says = {name: str(row[name]) == "True" for name in ("compiles", "compiles_loss", "units", "expandable")}
    month = OWN_UNITS if says["units"] else COMPILED_LOSS if says["compiles_loss"] else PLAIN_LOSS
    job = FineTuning(
        method="full",
        trainer=replace(find_trainer("torchtitan", month=month), fixed_blocks=says["expandable"]),
        weight_dtype="fp32",
        optimizer="adamw_fused",
        per_device_train_batch_size=int(row["batch"]),
        max_length=int(row["length"]),
        checkpointing=cast(Checkpointing, row["checkpointing"]),
        fuses_layers=says["compiles"],
        gpus=int(row["ranks"]),
        sharding="fsdp",
    )
    return training_memory(find_model(row["model"]), job)


@click.command()
@click.argument("tables", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
def main(tables: tuple[Path, ...]) -> None:
    """Each case of TABLES (or of the one that ships): what was measured, and how far the prediction is from it."""
    click.echo("| case | allocated GiB | predicted | | reserved GiB | predicted | |")
    click.echo("|---|---|---|---|---|---|---|")
    for item in [item for table in tables or (DATA,) for item in read(table)]:
        cells = [item.row["name"]]
        for what in ("allocated", "reserved"):
            predicted = getattr(item.found, f"{what}_bytes") / GIB
            cells += [item.row[f"{what}_gib"], f"{predicted:.2f}", f"{item.error(what):+.1%}"]
        click.echo(f"| {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
