"""`tunestack report`: an execution on one page."""

from pathlib import Path

import click

from tunestack.cli.options import aws_of, env_option
from tunestack.report.execution import write_execution_report


@click.command("report")
@click.argument("execution", default="latest")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help=".html, .md or .json")
@env_option
def report_command(execution: str, out: Path, env: str) -> None:
    """Write the page of an EXECUTION (default: the latest): steps, cost, curves, scores, both models' answers."""
    write_execution_report(aws_of(env), execution, out)
    click.echo(f"written: {out}")
