"""What the commands share that bring something to a run: looked at, uploaded, told."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import click
from rich.markup import escape

from tunestack.aws import Aws
from tunestack.cli.following import console
from tunestack.cli.options import show
from tunestack.executions.inputs import has_model
from tunestack.jobs import BASE_MODEL_URI, DATA_URI, TRANSFORM_INPUT_URI
from tunestack.layout import BASE_MODELS, S3Uri
from tunestack.uploads import (
    DataSetView,
    QuestionsView,
    add_batch_input,
    add_data_set,
    add_model,
    download_from_hub,
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


def print_data_set(view: DataSetView | None) -> None:
    """What a data set holds, and what will be done with it."""
    if view is None:
        console.print("data: Parquet is looked at by PrepareData")
        return
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in view.kinds.items())
    splits = ", ".join(f"{count:,} {name}" for name, count in view.splits.items())
    console.print(f"data: {kinds}, about {view.about_tokens:,} tokens → {splits}")
    if view.duplicates:
        console.print(f"  {view.duplicates:,} duplicates will be dropped")
    for reason, count in view.reasons.items():
        console.print(f"  [yellow]{count:,} rows will be rejected[/yellow]: {escape(reason)}")
    for key, count in view.ignored_keys.items():
        console.print(f"  key {escape(key)} of {count:,} rows is not trained on")
    if view.untrained_answers:
        console.print(f"  {view.untrained_answers:,} answers of conversations are read and not trained")
    if view.several_answers:
        console.print(f"  [yellow]{view.several_answers:,} questions[/yellow] have several different answers")
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
