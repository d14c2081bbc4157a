"""What a data set holds, seen before it is uploaded: by the code that prepares it in a paid job."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tunestack_training.failure import JobError
from tunestack_training.prepare import FEW_TEST_ROWS, GENERAL_FILE, chosen_rows, digest, split
from tunestack_training.questions import question_of
from tunestack_training.row_files import TABLES, kind_of
from tunestack_training.rows import Reading, Row, parse_line, read_row, read_rows, shown

from tunestack.settings.recipe import Recipe
from tunestack.uploads.upload import UploadError

# Of English and code, with the tokenizers of current models: enough to tell a thousand tokens from a million.
CHARACTERS_PER_TOKEN = 4


@dataclass(frozen=True, kw_only=True)
class DataSetView:
    """What the preparation will find, but for what needs the model's tokenizer.

    `about_tokens` are those of the rows to train on, `reasons` has each reason of rejection with its count, `splits`
    the rows of each split.
    """

    kinds: dict[str, int]
    rows: int
    duplicates: int
    rejected: int
    reasons: dict[str, int]
    ignored_keys: dict[str, int]
    untrained_answers: int
    about_tokens: int
    splits: dict[str, int]

    @property
    def few_test_rows(self) -> bool:
        """Whether the gate's figures will be rough."""
        return self.splits["test"] < FEW_TEST_ROWS


def inspect_data_set(files: Sequence[Path], recipe: Recipe) -> DataSetView | None:
    """Read every row as the preparation will; None where a file can be read in the job only (Parquet, Arrow).

    Raises:
        UploadError: the preparation would fail: a file can't be read, too many rows are unusable, or too few are left.
    """
    columnar = [file for file in files if kind_of(file.name) in TABLES]
    if len(columnar) == len(files):
        return None
    kept: dict[str, Row] = {}
    kinds, ignored, reasons = Counter[str](), Counter[str](), Counter[str]()
    seen = duplicates = untrained = 0
    first = ""
    try:
        for file in (file for file in files if file.name != GENERAL_FILE and file not in columnar):
            for source in read_rows(file):
                seen += 1
                reading = Reading(problem=source.problem) if source.problem else read_row(source.value)
                row, reason = reading.row, reading.problem
                if row is None:
                    first = first or f"{source.file}, line {source.line}: {reason}"
                    reasons[reason or ""] += 1
                    continue
                kinds[reading.kind] += 1
                ignored.update({shown(key): count for key, count in reading.ignored.items()})
                untrained += reading.untrained_answers
                key = digest(row)
                duplicates += key in kept
                kept.setdefault(key, row)
        rejected = sum(reasons.values())
        _refuse_too_many(rejected, seen, first, recipe)
        if columnar:
            return None
        splits = split(chosen_rows(kept, recipe), recipe.data, recipe.training.seed)
    except JobError as error:
        raise UploadError(str(error)) from None
    trained = splits["train"]
    characters = sum(len(message["content"]) for row in trained for message in row["prompt"] + row["completion"])
    return DataSetView(
        kinds=dict(kinds),
        rows=len(kept),
        duplicates=duplicates,
        rejected=rejected,
        reasons=dict(reasons.most_common()),
        ignored_keys=dict(ignored.most_common()),
        untrained_answers=untrained,
        about_tokens=characters // CHARACTERS_PER_TOKEN,
        splits={name: len(part) for name, part in splits.items()},
    )


@dataclass(frozen=True, kw_only=True)
class QuestionsView:
    """How many lines a batch has, and why some can't be asked."""

    lines: int
    reasons: dict[str, int]


def inspect_questions(file: Path) -> QuestionsView:
    """Read every line of a batch as the server will.

    Raises:
        UploadError: not one line can be asked.
    """
    lines = file.read_bytes().removesuffix(b"\n").split(b"\n")
    reasons, first = Counter[str](), ""
    for number, line in enumerate(lines, start=1):
        try:
            question_of(parse_line(line))
        except ValueError as error:
            # JSON's own reasons name a place in the line: many of one kind are one.
            reason = "not JSON" if isinstance(error, json.JSONDecodeError) else str(error)
            first = first or f"line {number}: {reason}"
            reasons[reason] += 1
    if reasons.total() == len(lines):
        raise UploadError(f"{file}: no line can be asked; {first}")
    return QuestionsView(lines=len(lines), reasons=dict(reasons.most_common()))


def _refuse_too_many(rejected: int, seen: int, first: str, recipe: Recipe) -> None:
    if not seen:
        raise UploadError("the data files hold no rows")
    allowed = recipe.data.max_rejected_fraction
    if rejected / seen > allowed:
        raise UploadError(
            f"{rejected} of {seen} rows can't be used ({rejected / seen:.0%}, the recipe's data.max_rejected_fraction "
            f"allows {allowed:.0%}); the first: {first}"
        )
