"""How far the memory model is from trainings of this kit's own on a GPU: `python -m benchmarks.gpu_accuracy CSV…`.

The tables are what `benchmarks.gpu_training` writes.
"""

import csv
import json
from dataclasses import dataclass, replace
from pathlib import Path

import click
from tunestack_training.options import recipe_from_options

from benchmarks.spread import spread
from tunestack.catalogue.models import model_configs
from tunestack.settings.recipe import Recipe
from tunestack.sizing.job.fine_tuning import FineTuning
from tunestack.sizing.job.named_methods import VIRTUAL_TOKENS
from tunestack.sizing.job.recipe_job import job_of_recipe
from tunestack.sizing.kinds import Method, Objective
from tunestack.sizing.memory.estimate import GIB, MemoryEstimate
from tunestack.sizing.memory.objectives import objective_memory
from tunestack.sizing.model.families import from_config
from tunestack.sizing.trainers.choice import find_trainer

# The methods of `benchmarks.gpu_methods`.
_METHODS: dict[str, tuple[Method, Objective]] = {
    "full": ("full", "sft"), "full in fp32": ("full", "sft"), "lora, trained head": ("lora", "sft"),
    "prompt_tuning": ("prompt_tuning", "sft"), "dpo lora": ("lora", "dpo"), "dpo full": ("full", "dpo"),
    "reward lora": ("lora", "reward"), "grpo lora": ("lora", "grpo"), "trainer lora": ("lora", "sft"),
    "trainer qlora": ("lora", "sft"), "trainer full": ("full", "sft"),
}  # fmt: skip


@dataclass(frozen=True)
class Measured:
    """One training: its row, and what the model says of it."""

    row: dict[str, str]
    found: MemoryEstimate

    def error(self, what: str) -> float:
        """Of `allocated`, `reserved` or `device` memory, relative to what was measured."""
        predicted: float = getattr(self.found, f"{what}_bytes")
        return predicted / GIB / float(self.row[f"{what}_gib"]) - 1

    @property
    def is_inside(self) -> bool:
        device_bytes = float(self.row["device_gib"]) * GIB
        return self.found.low_bytes <= device_bytes <= self.found.high_bytes


def read(file: Path) -> list[Measured]:
    """The trainings of a table that came to their end."""
    with file.open(encoding="utf-8") as lines:
        return [Measured(row, _estimate(row)) for row in csv.DictReader(lines) if row["allocated_gib"]]


def _estimate(row: dict[str, str]) -> MemoryEstimate:
    config = dict(model_configs()[row["model"]])
    if row["layers"]:
        config["num_hidden_layers"] = int(row["layers"])
    architecture = from_config(config, name=row["model"])
    recipe = recipe_from_options(json.loads(row["options"]))
    job, objective = _job(row, recipe)
    return objective_memory(architecture, job, objective)


def _job(row: dict[str, str], recipe: Recipe) -> tuple[FineTuning, Objective]:
    # The model is told what the rows are like, as a data report would tell it.
    job = replace(job_of_recipe(recipe), varying_lengths=row["rows"] == "mixed")
    if not row["method"]:
        return job, "sft"
    method, objective = _METHODS[row["method"]]
    prompts = method == "prompt_tuning"
    job = replace(
        job, method=method, quantization="none", double_quant=False, virtual_tokens=VIRTUAL_TOKENS if prompts else 0
    )
    if row["method"].startswith("trainer"):
        by_trainer = find_trainer("hf_trainer")
        job = replace(job, trainer=by_trainer, loss=by_trainer.loss, lora_dropout=by_trainer.lora_dropout)
        if "qlora" in row["method"]:
            job = replace(job, quantization="nf4", double_quant=True)
    if "trained head" in row["method"]:
        job = replace(job, modules_to_save=("lm_head",))
    if "fp32" in row["method"]:
        job = replace(job, weight_dtype="fp32")
    return job, objective


@click.command()
@click.argument("tables", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
def main(tables: tuple[Path, ...]) -> None:
    """Each training of TABLES: what was measured, what is predicted, and how far they are apart."""
    click.echo("| training | allocated GiB | predicted | | reserved | predicted | | device | predicted | |")
    click.echo("|---|---|---|---|---|---|---|---|---|---|")
    for table in tables:
        items = read(table)
        for item in items:
            cells = [item.row["name"]]
            for what in ("allocated", "reserved", "device"):
                predicted = getattr(item.found, f"{what}_bytes") / GIB
                cells += [item.row[f"{what}_gib"], f"{predicted:.2f}", f"{item.error(what):+.0%}"]
            click.echo(f"| {' | '.join(cells)} |")
        click.echo(f"\n{table.name}: {len(items)} trainings")
        for what in ("allocated", "reserved", "device"):
            found = spread([item.error(what) for item in items])
            figures = {"median": found.median, "p90": found.p90, "worst": found.worst, "bias": found.bias}
            click.echo(f"{what}: " + ", ".join(f"{name} {value:.1%}" for name, value in figures.items()))
        inside = sum(item.is_inside for item in items) / len(items)
        click.echo(f"device memory inside the stated range: {inside:.0%}\n")


if __name__ == "__main__":
    main()
