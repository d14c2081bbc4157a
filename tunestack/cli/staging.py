"""What the commands share that bring something to a run: looked at, uploaded, told."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import yaml
from pydantic import ValidationError
from rich.markup import escape

from tunestack.aws import Aws
from tunestack.cli.following import console
from tunestack.cli.options import show
from tunestack.executions.inputs import has_model
from tunestack.jobs import BASE_MODEL_URI, DATA_URI, TRANSFORM_INPUT_URI
from tunestack.layout import BASE_MODELS, S3Uri
from tunestack.pipeline.recipe_parameters import RUN_CHOICES
from tunestack.settings.recipe import Recipe, changed_recipe
from tunestack.uploads import (
    DataSetView,
    QuestionsView,
    add_batch_input,
    add_data_set,
    add_model,
    download_from_hub,
    inspect_data_set,
    prove_data_set,
)

TRAINING_PYTHON = Path(__file__).parents[2] / ".venv-training" / "bin" / "python"


def stage_run(aws: Aws, files: Sequence[Path], questions: Path | None, *, name: str) -> dict[str, str]:
    """Upload data and questions where they aren't there yet; the parameters that name them."""
    staged = {DATA_URI.name: add_data_set(aws, files, name=name)} if files else {}
    if questions is not None:
        staged[TRANSFORM_INPUT_URI.name] = add_batch_input(aws, questions, name=name)
    return staged


def stage_base_model(aws: Aws) -> None:
    """Upload the recipe's model from the Hugging Face hub, unless it is there."""
    model = aws.settings.recipe.model
    key = BASE_MODELS.key(model.name_or_path, model.revision)
    if has_model(aws, str(S3Uri(bucket=aws.bucket(BASE_MODELS.bucket), key=key))):
        return
    click.echo(f"{BASE_MODEL_URI.name}: {model.name_or_path} is downloaded from the hub and uploaded", err=True)
    with tempfile.TemporaryDirectory() as folder:
        download_from_hub(model.name_or_path, revision=model.revision, folder=Path(folder), python=TRAINING_PYTHON)
        add_model(aws, Path(folder), name=model.name_or_path, revision=model.revision)


@dataclass(frozen=True)
class DataLook:
    """A data set before it is uploaded; what is seen of it, if anything, and why it isn't proven, if it isn't."""

    view: DataSetView | None
    not_proven: str | None = None


def look_at_data(aws: Aws, files: Sequence[Path], given: Mapping[str, str]) -> DataLook:
    """What PrepareData will find of files under a run's parameters: by the model's tokenizer, where that can be had.

    Raises:
        UploadError: the preparation would fail.
    """
    recipe = _chosen_recipe(aws, given)
    found = prove_data_set(aws, files, recipe, python=TRAINING_PYTHON, base_model_uri=given.get(BASE_MODEL_URI.name))
    return DataLook(inspect_data_set(files, recipe), found) if isinstance(found, str) else DataLook(found)


def _chosen_recipe(aws: Aws, given: Mapping[str, str]) -> Recipe:
    """The recipe with what a run chooses of it; what it can't choose, the run itself refuses."""
    try:
        chosen = {dotted: yaml.safe_load(given[name]) for name, dotted in RUN_CHOICES.items() if name in given}
        return changed_recipe(aws.settings.recipe, chosen)
    except (ValidationError, yaml.YAMLError):
        return aws.settings.recipe


def print_data_set(look: DataLook) -> None:
    """What a data set holds, and what will be done with it."""
    view = look.view
    if look.not_proven:
        console.print(f"data: not looked at with the model's tokenizer: {escape(look.not_proven)}")
    if view is None:
        console.print("data: Parquet is looked at by PrepareData")
        return
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in view.kinds.items())
    splits = ", ".join(f"{count:,} {name}" for name, count in view.splits.items())
    console.print(f"data: {kinds}, {'' if view.is_proven else 'about '}{view.tokens:,} tokens → {splits}")
    if view.duplicates:
        console.print(f"  {view.duplicates:,} duplicates will be dropped")
    for reason, count in view.reasons.items():
        console.print(f"  [yellow]{count:,} rows will be rejected[/yellow]: {escape(reason)}")
    if view.cut:
        console.print(f"  [yellow]{view.cut:,} rows[/yellow] are longer than training.max_length and will be cut")
    if view.dropped_for_length:
        console.print(f"  {view.dropped_for_length:,} rows are longer than training.max_length and will be dropped")
    for key, count in view.ignored_keys.items():
        console.print(f"  key {escape(key)} of {count:,} rows is not trained on")
    if view.untrained_answers:
        console.print(f"  {view.untrained_answers:,} answers of conversations are read and not trained")
    if view.several_answers:
        console.print(f"  [yellow]{view.several_answers:,} questions[/yellow] have several different answers")
    if view.near_duplicates:
        console.print(
            f"  [yellow]{view.near_duplicates:,} rows to train on[/yellow] ask nearly what a held-out row asks: with "
            "them the gate's figures flatter (data.near_duplicates: drop)"
        )
    if view.few_test_rows:
        console.print(
            f"  [yellow]{view.splits['test']} held-out rows[/yellow]: so few leave the gate undecided, whatever it says"
        )


def print_questions(view: QuestionsView) -> None:
    """How many questions there are, and which get an error for an answer."""
    console.print(f"questions: {view.lines:,}")
    if view.with_answers:
        console.print(
            f"  [yellow]{view.with_answers:,} come with their answer[/yellow]: what a model says to rows that it was "
            "trained on tells little"
        )
    for reason, count in view.reasons.items():
        console.print(f"  [yellow]{count:,} will be answered with an error[/yellow]: {escape(reason)}")


def show_parameter(name: str, uri: str, *, as_json: bool) -> None:
    """What `tunestack run` takes."""
    show({name: uri}, as_json=as_json, text=lambda: click.echo(f"uploaded: --param {name}={uri}"))
