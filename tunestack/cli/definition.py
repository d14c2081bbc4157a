"""`tunestack definition`: the pipeline definition, shown and validated."""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import click

from tunestack.cli.synthesis import synthesize
from tunestack.definition import validate
from tunestack.settings import load_settings


@click.group()
def definition() -> None:
    """The SageMaker pipeline definition."""


@definition.command("show")
@click.option("--env", default="dev", show_default=True, help="The environment, a file in config/.")
def show_definition(env: str) -> None:
    """Print the JSON that would be deployed; what CloudFormation fills in stands as ${…}."""
    load_settings(env)
    click.echo(json.dumps(json.loads(deployed_definition(env)), indent=2))


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


def deployed_definition(env: str) -> str:
    """Synthesize the environment and take the definition from its pipeline stack's template.

    Raises:
        UserError: synthesis fails; with its message.
    """
    with tempfile.TemporaryDirectory() as folder:
        synthesize(env, Path(folder))
        template = next(Path(folder).glob("*-pipeline.template.json"))
        return definition_of_template(json.loads(template.read_text(encoding="utf-8")))


def definition_of_template(template: dict[str, Any]) -> str:
    """The definition's text in a template, CloudFormation's functions written as `${…}`."""
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::SageMaker::Pipeline":
            return _substituted(resource["Properties"]["PipelineDefinition"]["PipelineDefinitionBody"])
    raise ValueError("the template has no AWS::SageMaker::Pipeline")


def _substituted(value: Any) -> str:
    if isinstance(value, str):
        return value
    if "Fn::Join" in value:
        separator, parts = value["Fn::Join"]
        return str(separator).join(_substituted(part) for part in parts)
    if "Ref" in value:
        return f"${{{value['Ref']}}}"
    if "Fn::GetAtt" in value:
        return f"${{{'.'.join(value['Fn::GetAtt'])}}}"
    if "Fn::GetStackOutput" in value:
        output = value["Fn::GetStackOutput"]
        return f"${{{output['StackName']}.{output['OutputName']}}}"
    # Fn::Select over Fn::Split takes an ARN apart: name it by what it is taken from.
    inner = json.dumps(value, separators=(",", ":")).replace('"', "'")
    return f"${{{inner}}}"
