"""`tunestack data` and `tunestack models`: what goes into the buckets before a run."""

import tempfile
from pathlib import Path

import click

from tunestack.cli.options import aws_of, env_option, json_option, show
from tunestack.cli.staging import TRAINING_PYTHON, print_data_set, print_questions
from tunestack.executions.versions import delete_versions
from tunestack.jobs import BASE_MODEL_URI, DATA_URI, TRANSFORM_INPUT_URI
from tunestack.uploads import (
    UploadError,
    add_batch_input,
    add_data_set,
    add_model,
    download_from_hub,
    inspect_data_set,
    inspect_questions,
)
from tunestack.uploads.data_set import check_data_file

_file = click.Path(path_type=Path)


@click.group()
def data() -> None:
    """Data sets."""


@data.command("add")
@click.argument("files", nargs=-1, required=True, type=_file)
@click.option("--name", help="Default: the recipe's data.name.")
@click.option("--batch-input", is_flag=True, help="Questions for the batch transform, not training data.")
@env_option
@json_option
def add_data(files: tuple[Path, ...], name: str | None, batch_input: bool, env: str, as_json: bool) -> None:
    """Upload JSON Lines, CSV or Parquet FILES; prints the S3 URI for `tunestack run --param`."""
    aws = aws_of(env)
    name = name or aws.settings.recipe.data.name
    if batch_input and len(files) != 1:
        raise UploadError(f"--batch-input takes one file, got {len(files)}")
    for file in files:
        check_data_file(file)
    data_set = None if batch_input else inspect_data_set(files, aws.settings.recipe)
    questions = inspect_questions(files[0]) if batch_input else None
    parameter = (TRANSFORM_INPUT_URI if batch_input else DATA_URI).name
    uri = add_batch_input(aws, files[0], name=name) if batch_input else add_data_set(aws, files, name=name)
    if not as_json:
        print_questions(questions) if questions else print_data_set(data_set)
    _show_parameter(parameter, uri, as_json=as_json)


@click.group()
def models() -> None:
    """Base models, and the registered versions of tuned ones."""


@models.command("add")
@click.argument("folder", required=False, type=_file)
@click.option("--from-hub", help="Download this model of the Hugging Face hub instead.")
@click.option("--name", help="Default: the recipe's model.name_or_path.")
@click.option("--revision", help="Default: the recipe's model.revision.")
@env_option
@json_option
def add_base_model(
    folder: Path | None, from_hub: str | None, name: str | None, revision: str | None, env: str, as_json: bool
) -> None:
    """Upload a base model from FOLDER or the hub; where the recipe names it, a run finds it by itself."""
    if (folder is None) == (from_hub is None):
        raise UploadError("give either a FOLDER or --from-hub MODEL")
    aws = aws_of(env)
    name = name or from_hub or aws.settings.recipe.model.name_or_path
    revision = revision or aws.settings.recipe.model.revision
    if from_hub is None:
        assert folder is not None
        uri = add_model(aws, folder, name=name, revision=revision)
    else:
        with tempfile.TemporaryDirectory() as downloaded:
            commit = download_from_hub(from_hub, revision=revision, folder=Path(downloaded), python=TRAINING_PYTHON)
            uri = add_model(aws, Path(downloaded), name=name, revision=commit)
        if commit != revision:
            click.echo(f"{revision} is {commit} today: name that in the recipe (model.revision: {commit})", err=True)
    _show_parameter(BASE_MODEL_URI.name, uri, as_json=as_json)


@models.command("delete-versions")
@click.confirmation_option(prompt="Delete every registered version of the environment?")
@env_option
def delete_all_versions(env: str) -> None:
    """Delete every registered version, so that `cdk destroy` can delete their group; dev and local only."""
    deleted = delete_versions(aws_of(env, as_deployer=True))
    for arn in deleted:
        click.echo(f"deleted {arn}")
    click.echo(f"{len(deleted)} versions deleted")


def _show_parameter(name: str, uri: str, *, as_json: bool) -> None:
    """What `tunestack run` takes."""
    show({name: uri}, as_json=as_json, text=lambda: click.echo(f"uploaded: --param {name}={uri}"))
