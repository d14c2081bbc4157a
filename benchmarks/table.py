"""A table of measured rows, as CSV."""

import csv
import math
from collections.abc import Iterable
from pathlib import Path

import click

Row = dict[str, str]


def read_rows(file: Path, *, columns: Iterable[str]) -> list[Row]:
    """The rows of a file that has at least some columns; a cell that a short line lacks is empty.

    Raises:
        click.ClickException: a column is missing, or the file isn't UTF-8; one message.
    """
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            table = csv.DictReader(lines, restval="")
            missing = [name for name in columns if name not in (table.fieldnames or ())]
            if missing:
                raise click.ClickException(f"{file}: no column {', '.join(missing)}")
            return [{name: value for name, value in row.items() if name is not None} for row in table]
    except (UnicodeDecodeError, csv.Error) as error:
        raise click.ClickException(f"{file} isn't a table in UTF-8: {error}") from None


def positive(text: str) -> float | None:
    """A number above 0, or None where a cell holds none."""
    try:
        number = float(text.replace(",", ""))
    except ValueError:
        return None
    return number if 0 < number < math.inf else None
