"""`tunestack definition`: the pipeline definition, shown and validated."""

import json
import sys
import tempfile
from pathlib import Path

import click

from tunestack.cli.lazy import SuggestingGroup
from tunestack.cli.synthesis import synthesize
from tunestack.definition.finding import Level
from tunestack.definition.template import definition_of_template
from tunestack.definition.validation import validate
from tunestack.errors import UserError
from tunestack.layout import StackName
from tunestack.settings.loading import load_settings
from tunestack.template.assembly import Assembly


@click.group(cls=SuggestingGroup)
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
@click.option("--strict", is_flag=True, help="Refuse what breaks a policy too.")
def validate_definition(file: Path, strict: bool) -> None:
    """Check a definition, a line per finding.

    What is invalid the service refuses (exit code 1). What breaks a policy of this kit the service takes.
    """
    try:
        content = json.loads(file.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise UserError(f"{file}: no such file") from None
    except RecursionError:
        raise UserError(f"{file} is nested too deeply") from None
    except (UnicodeDecodeError, ValueError) as error:
        raise UserError(f"{file}: not JSON: {error}") from None
    if not isinstance(content, dict):
        raise UserError(f"{file}: must be a JSON object, got {json.dumps(content)[:40]}")
    findings = validate(content)
    for finding in findings:
        click.echo(f"{finding.level}{f' {finding.rule}' if finding.rule else ''}: {finding}")
    levels = {finding.level for finding in findings}
    if Level.INVALID in levels or (strict and Level.POLICY in levels):
        sys.exit(1)
    what = "valid" if Level.POLICY in levels else "good"
    click.echo(f"{file}: a {what} definition of {len(content['Steps'])} steps at its top")


def synthesized_definition(env: str) -> str:
    """Synthesize the environment and take the definition from its pipeline stack's template.

    Raises:
        UserError: synthesis fails; with its message.
    """
    with tempfile.TemporaryDirectory() as folder:
        synthesize(env, Path(folder))
        return definition_of_template(Assembly.read(Path(folder)).stack(StackName.PIPELINE).template)
