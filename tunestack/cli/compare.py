"""`tunestack compare`: two executions side by side."""

from dataclasses import asdict
from typing import Any

import click
from rich.markup import escape
from rich.table import Table

from tunestack.cli.following import console
from tunestack.cli.options import aws_of, env_option, json_option, show
from tunestack.executions.comparison import compare
from tunestack.executions.describe import describe


@click.command("compare")
@click.argument("first")
@click.argument("second")
@env_option
@json_option
def compare_command(first: str, second: str, env: str, as_json: bool) -> None:
    """Show what two executions, FIRST and SECOND, were given that differs, and what came of each."""
    aws = aws_of(env)
    views = describe(aws, first), describe(aws, second)
    rows = compare(aws, *views)

    def text() -> None:
        table = Table("", "", *(view.id for view in views), box=None)
        said = ""
        for row in rows:
            cells = [escape(_shown(value)) for value in (row.first, row.second)]
            table.add_row("" if row.of == said else row.of, row.name, *cells, style="bold" if row.differs else "")
            said = row.of
        console.print(table)

    show([asdict(row) for row in rows], as_json=as_json, text=text)


def _shown(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
