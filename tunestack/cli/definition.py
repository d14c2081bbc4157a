"""`tunestack definition`: the pipeline definition, shown and validated."""

import json
import sys
import tempfile
from pathlib import Path

import click

from tunestack.cli.synthesis import synthesize
from tunestack.definition import validate
from tunestack.definition.template import definition_of_template
from tunestack.layout import StackName
from tunestack.settings import load_settings


@click.group()
def definition() -> None:
    """The SageMaker pipeline definition."""


@definition.command("show")
@click.option("--env", default="dev", show_default=True, help="The environment, a file in config/.")
def show_definition(env: str) -> None:
    """Print the JSON that would be deployed; what CloudFormation fills in stands as ${…}."""
    load_settings(env)
    click.echo(json.dumps(json.loads(synthesized_definition(env)), indent=2))


@definition.command("validate")
@click.argument("file", type=click.Path(path_type=Path))
def validate_definition(file: Path) -> None:
    """Check a definition: exit code 0 and one line when it is good, else 1 and a line per problem."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        sys.exit(f"{file}: no such file")
    except (UnicodeDecodeError, ValueError) as error:
        sys.exit(f"{file}: not JSON: {error}")
    findings = validate(content)
    problems = [finding for finding in findings if not finding.is_note]
    for finding in findings:
        click.echo(f"{'note: ' if finding.is_note else ''}{finding}")
    if problems:
        sys.exit(1)
    click.echo(f"{file}: a good definition of {len(content['Steps'])} steps at its top")


def synthesized_definition(env: str) -> str:
    """Synthesize the environment and take the definition from its pipeline stack's template.

    Raises:
        UserError: synthesis fails; with its message.
    """
    with tempfile.TemporaryDirectory() as folder:
        synthesize(env, Path(folder))
        template = next(Path(folder).glob(f"*-{StackName.PIPELINE}.template.json"))
        return definition_of_template(json.loads(template.read_text(encoding="utf-8")))
