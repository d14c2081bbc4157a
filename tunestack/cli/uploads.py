"""`tunestack data`: what goes into the buckets before a run."""

from pathlib import Path

import click

from tunestack.cli.lazy import SuggestingGroup
from tunestack.cli.options import aws_of, env_option, json_option
from tunestack.cli.staging import look_at_data, print_data_set, print_questions, show_parameter
from tunestack.jobs import DATA_URI, TRANSFORM_INPUT_URI
from tunestack.uploads import UploadError, add_batch_input, add_data_set, inspect_questions
from tunestack.uploads.data_set import check_data_file

_file = click.Path(path_type=Path)


@click.group(cls=SuggestingGroup)
def data() -> None:
    """Data sets."""


@data.command("add")
@click.argument("files", nargs=-1, required=True, type=_file)
@click.option("--name", help="Default: the recipe's data.name.")
@click.option("--batch-input", is_flag=True, help="Questions for the batch transform, not training data.")
@env_option
@json_option
def add_data(files: tuple[Path, ...], name: str | None, batch_input: bool, env: str, as_json: bool) -> None:
    """Upload FILES of rows (JSON Lines, JSON, CSV, Parquet); prints the S3 URI for `tunestack run --param`."""
    aws = aws_of(env)
    name = name or aws.settings.recipe.data.name
    if batch_input and len(files) != 1:
        raise UploadError(f"--batch-input takes one file, got {len(files)}")
    for file in files:
        check_data_file(file)
    if batch_input:
        questions = inspect_questions(files[0])
        parameter, uri = TRANSFORM_INPUT_URI, add_batch_input(aws, files[0], name=name)
        if not as_json:
            print_questions(questions)
    else:
        data_set = look_at_data(aws, files, {})
        parameter, uri = DATA_URI, add_data_set(aws, files, name=name)
        if not as_json:
            print_data_set(data_set)
    show_parameter(parameter.name, uri, as_json=as_json)
