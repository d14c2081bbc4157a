"""What a data set holds, seen before it is uploaded: by the code that prepares it in a paid job."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from tunestack_training.collect import AT_ONCE, Collected, characters_of, reading_of
from tunestack_training.failure import JobError
from tunestack_training.file_kinds import TABLES, kind_of
from tunestack_training.prepare import GENERAL_FILE
from tunestack_training.questions import question_of
from tunestack_training.rows import parse_line, read_row, read_rows, shown
from tunestack_training.store import RowStore, StoredRow, place_of
from tunestack_training.verdict import FEW_TEST_ROWS

from tunestack.settings.recipe import Recipe
from tunestack.uploads.upload import UploadError

# Of English and code, with the tokenizers of current models: enough to tell a thousand tokens from a million.
CHARACTERS_PER_TOKEN = 4


@dataclass(frozen=True, kw_only=True)
class DataSetView:
    """What the preparation will find; if it isn't proven, but for what needs the model's tokenizer.

    `several_answers` are questions that have more than one, `tokens` those of the rows to train on (about so many if it
    isn't proven), `cut` the rows to train on that have more of them than `max_length`; `reasons` has each reason of
    rejection with its count, `splits` the rows of each split.
    """

    kinds: dict[str, int]
    rows: int
    duplicates: int
    several_answers: int
    rejected: int
    reasons: dict[str, int]
    ignored_keys: dict[str, int]
    untrained_answers: int
    tokens: int
    splits: dict[str, int]
    is_proven: bool = False
    cut: int = 0
    dropped_for_length: int = 0
    near_duplicates: int = 0

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
    read = [file for file in files if file.name != GENERAL_FILE and file not in columnar]
    try:
        with RowStore() as store:
            collected = _collected(read, recipe, store)
            collected.refuse_too_many_rejected(recipe.data)
            if columnar:
                return None
            rows = len(store)
            if recipe.data.max_rows is not None:
                store.keep(recipe.data.max_rows, recipe.training.seed)
            splits = store.splits(recipe.data)
            return DataSetView(
                kinds=dict(collected.kinds),
                rows=rows,
                duplicates=store.duplicates,
                several_answers=store.contradictions(),
                rejected=collected.rejected,
                reasons=dict(collected.reasons.most_common()),
                ignored_keys={shown(key): count for key, count in collected.ignored_keys.most_common()},
                untrained_answers=collected.untrained_answers,
                tokens=store.token_counts(splits, recipe.training.max_length)["total"] // CHARACTERS_PER_TOKEN,
                splits=store.sizes(splits),
            )
    except JobError as error:
        raise UploadError(str(error)) from None


def _collected(files: Sequence[Path], recipe: Recipe, store: RowStore) -> Collected:
    """What becomes of every row, but for what the model's template makes of it; sizes are in characters."""
    collected = Collected()
    sources = (source for file in files for source in read_rows(file))
    while batch := list(islice(sources, AT_ONCE)):
        good: list[StoredRow] = []
        for source in batch:
            reading = reading_of(source, recipe)
            collected.seen += max(1, len(reading.rows))
            if reading.problem:
                collected.reject(source, reading.problem)
                continue
            collected.add_reading(reading)
            place = place_of(recipe.training.seed, reading.rows[0]["prompt"])
            good += [StoredRow(row, place, characters_of(row)) for row in reading.rows]
        store.add(good)
    return collected


@dataclass(frozen=True, kw_only=True)
class QuestionsView:
    """How many lines a batch has, why some can't be asked, and how many come with their answer, as rows to train on."""

    lines: int
    with_answers: int
    reasons: dict[str, int]


def inspect_questions(file: Path) -> QuestionsView:
    """Read every line of a batch as the server will.

    Raises:
        UploadError: not one line can be asked.
    """
    lines = file.read_bytes().removesuffix(b"\n").split(b"\n")
    reasons, first, with_answers = Counter[str](), "", 0
    for number, line in enumerate(lines, start=1):
        try:
            value = parse_line(line)
            with_answers += read_row(value).row is not None
            question_of(value)
        except ValueError as error:
            # JSON's own reasons name a place in the line: many of one kind are one.
            reason = "not JSON" if isinstance(error, json.JSONDecodeError) else str(error)
            first = first or f"line {number}: {reason}"
            reasons[reason] += 1
    if reasons.total() == len(lines):
        raise UploadError(f"{file}: no line can be asked; {first}")
    return QuestionsView(lines=len(lines), with_answers=with_answers, reasons=dict(reasons.most_common()))
