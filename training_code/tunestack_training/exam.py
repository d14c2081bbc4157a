"""What a model is judged by: held-out rows, the general set, and the user's questions."""

import json
import random
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

from tunestack_training import contract
from tunestack_training.asking import Asking
from tunestack_training.failure import JobError
from tunestack_training.prepare import ROWS_FILE
from tunestack_training.recipe import Evaluation, Recipe
from tunestack_training.rows import Row


def sample(rows: list[Row], recipe: Recipe) -> list[Row]:
    """As many rows as are evaluated, chosen and ordered by the seed: a file's first rows may be all of a kind."""
    wanted = min(len(rows), recipe.evaluation.max_rows)
    return random.Random(recipe.training.seed).sample(rows, wanted)  # noqa: S311


def read_set(name: str) -> list[Row]:
    """The rows of a set: heldout (the test split) or general."""
    file = contract.processing_input({"heldout": "test", "general": "general"}[name]) / ROWS_FILE
    rows = _read(file)
    if not rows:
        raise JobError(f"the {name} set is empty ({file})")
    return rows


def read_questions(folder: Path, settings: Evaluation, asking: Asking) -> list[dict[str, Any]]:
    """The first of the user's questions, as many as rows are answered; what can't be asked is left to the transform."""
    lines = (
        (file.relative_to(folder).as_posix(), number, line)
        for file in sorted(folder.rglob("*"))
        if file.is_file()
        for number, line in enumerate(file.read_bytes().removesuffix(b"\n").split(b"\n"), start=1)
    )
    questions: list[dict[str, Any]] = []
    for file, number, line in islice(lines, settings.generated_rows):
        with suppress(ValueError):
            question = asking.question(line)
            tools = {"tools": question.tools} if question.tools else {}
            questions.append({"file": file, "line": number, "question": question.messages, **tools})
    return questions


def _read(file: Path) -> list[Row]:
    with file.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]
