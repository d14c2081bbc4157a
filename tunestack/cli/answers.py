"""`tunestack answers`: what base and tuned model say, side by side."""

from dataclasses import asdict
from itertools import groupby

import click
from rich.markup import escape
from rich.table import Table

from tunestack.cli.following import console
from tunestack.cli.options import aws_of, env_option, json_option, show
from tunestack.executions.describe import describe
from tunestack.executions.results import Answered, answers, right_in_words, scores

# Of a cell, in characters: a whole answer is in `--json`.
LONGEST = 600
_TITLES = {"heldout": "held-out rows", "questions": "your questions"}


@click.command("answers")
@click.argument("execution", default="latest")
@click.option("--limit", type=click.IntRange(min=1), default=10, show_default=True, help="Of each set, show so many.")
@env_option
@json_option
def answers_command(execution: str, limit: int, env: str, as_json: bool) -> None:
    """Show what base and tuned model of an EXECUTION answer (default: the latest), on held-out rows and questions."""
    aws = aws_of(env)
    view = describe(aws, execution)
    found, heldout = answers(aws, view), scores(aws, view)["heldout"]

    def text() -> None:
        if right := right_in_words(heldout):
            console.print(f"answers right, base → tuned: {right} held-out rows, compared by {heldout['compared_by']}")
        print_answers(found, limit=limit)

    show([asdict(item) for item in found], as_json=as_json, text=text)


def print_answers(found: list[Answered], *, limit: int) -> None:
    """A table for each set: question, wanted answer where it is known, base, tuned."""
    for of, group in groupby(found, key=lambda item: item.of):
        items = list(group)
        shown = f", {limit} of {len(items)}" if len(items) > limit else ""
        wanted = any(item.wanted is not None for item in items)
        columns = ["question", *(["wanted"] if wanted else []), "base", "tuned"]
        table = Table(*columns, title=f"{_TITLES[of]}{shown}", title_justify="left", show_lines=True, expand=True)
        for item in items[:limit]:
            cells = [item.question, *([item.wanted] if wanted else []), item.base, item.tuned or item.error]
            table.add_row(*(escape(_short(cell)) for cell in cells))
        # A table keeps to the terminal's width; other output is never wrapped.
        console.print(table, soft_wrap=False)


def _short(text: str | None) -> str:
    text = "not asked" if text is None else text.strip()
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} …"
