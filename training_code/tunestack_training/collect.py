"""What files hold: the good rows, each once, into a store; the rejected ones, with their reasons, into a file."""

import json
import logging
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, TextIO

from tunestack_training.encoding import Encoded, Encoder
from tunestack_training.failure import JobError
from tunestack_training.labels import unlabelled
from tunestack_training.recipe import Data, Recipe
from tunestack_training.rows import Reading, Row, SourceRow, read_row, read_rows, shown
from tunestack_training.store import RowStore, StoredRow, place_of
from tunestack_training.tokenizer import reserved_tokens, stop_ids

# What is rendered and tokenized together, in rows and in characters: more takes memory, and no less time.
AT_ONCE, MOST_CHARACTERS = 256, 2_000_000
SHOWN_IN_LOG = 20
_NUMBER = re.compile(r"\d[\d,.]*")
log = logging.getLogger(__name__)


@dataclass(kw_only=True)
class Collected:
    """What became of the rows of a data set, counted."""

    seen: int = 0
    rejected: int = 0
    first: str = ""
    reasons: Counter[str] = field(default_factory=Counter)
    dropped_for_length: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    # What usable rows hold that nothing is trained on: keys, and answers that aren't to be trained.
    ignored_keys: Counter[str] = field(default_factory=Counter)
    untrained_answers: int = 0

    def add_reading(self, reading: Reading) -> None:
        """Count what a usable row is, and what of it isn't used."""
        self.kinds[reading.kind] += 1
        self.ignored_keys.update(reading.ignored)
        self.untrained_answers += reading.untrained_answers

    def reject(self, source: SourceRow, reason: str) -> None:
        """Count a row that can't be used. Reasons that differ by a number are one."""
        self.rejected += 1
        self.first = self.first or f"{source.file}, line {source.line}: {reason}"
        self.reasons[_NUMBER.sub("…", reason)] += 1

    def refuse_too_many_rejected(self, data: Data) -> None:
        """
        Raises:
            JobError: there are no rows, or more are rejected than the recipe allows.
        """
        if not self.seen:
            raise JobError("the data files hold no rows")
        share = self.rejected / self.seen
        if share > data.max_rejected_fraction:
            raise JobError(
                f"{self.rejected} of {self.seen} rows are rejected ({share:.0%}, data.max_rejected_fraction allows "
                f"{data.max_rejected_fraction:.0%}); the first: {self.first}"
            )


class Judged(NamedTuple):
    """A row to train on with its size in tokens, or the reason why it is none; a row of a file may give several."""

    source: SourceRow
    row: Row | None = None
    problem: str | None = None
    too_long: bool = False
    tokens: int = 0
    of_answer: int = 0
    place: float = 0.0


def reading_of(source: SourceRow, recipe: Recipe, reserved: Collection[str] = ()) -> Reading:
    """A row of a file as the recipe wants it: with its last answer, or with each."""
    if source.problem:
        return Reading(problem=source.problem)
    return read_row(source.value, reserved, all_turns=recipe.data.assistant_turns == "all")


def characters_of(row: Row) -> int:
    """How long a row is."""
    messages = row["prompt"] + row["completion"]
    calls = sum(len(str(message["tool_calls"])) for message in messages if "tool_calls" in message)
    return sum(len(message["content"]) for message in messages) + calls + len(str(row.get("tools", "")))


class _Batch(NamedTuple):
    """Rows that are tokenized together, and what will come of it."""

    read: Sequence[tuple[SourceRow, Reading]]
    encoded: "Future[list[Encoded | ValueError]]"


class Judge:
    """Reads rows as the model of a recipe is trained on them."""

    def __init__(self, tokenizer: Any, recipe: Recipe) -> None:
        self.recipe = recipe
        self._encoder = Encoder(tokenizer)
        self._reserved, self._stops = reserved_tokens(tokenizer), stop_ids(tokenizer)
        self._all_turns = recipe.data.assistant_turns == "all"

    def all(self, sources: Iterable[SourceRow], collected: Collected | None = None) -> Iterator[Judged]:
        """What becomes of each row, in order.

        Raises:
            JobError: the model's template can't be used at all, or a row is too long and the recipe says to fail.
        """
        before: _Batch | None = None
        # While some rows are tokenized, those behind them are read and rendered.
        with ThreadPoolExecutor(1) as tokenizing:
            for read in self._read_in_batches(sources):
                texts = self._encoder.rendered(
                    [
                        (row["prompt"], row["completion"], row.get("tools"))
                        for _, reading in read
                        for row in reading.rows
                    ]
                )
                made = tokenizing.submit(self._encoder.tokenized, texts)
                if before:
                    yield from self._judged(before, collected)
                before = _Batch(read, made)
            if before:
                yield from self._judged(before, collected)

    def _read_in_batches(self, sources: Iterable[SourceRow]) -> Iterator[list[tuple[SourceRow, Reading]]]:
        """Rows as they are read, as many together as memory allows, however long they are."""
        batch: list[tuple[SourceRow, Reading]] = []
        rows = characters = 0
        for source in sources:
            reading = reading_of(source, self.recipe, self._reserved)
            batch.append((source, reading))
            rows += max(1, len(reading.rows))
            characters += sum(map(characters_of, reading.rows))
            if rows >= AT_ONCE or characters >= MOST_CHARACTERS:
                yield batch
                batch, rows, characters = [], 0, 0
        if batch:
            yield batch

    def _judged(self, batch: "_Batch", collected: Collected | None) -> Iterator[Judged]:
        encoded = iter(batch.encoded.result())
        for source, reading in batch.read:
            if reading.problem:
                yield Judged(source, problem=reading.problem)
                continue
            if collected:
                collected.add_reading(reading)
            # All answers of a conversation are on one side of a split.
            place = place_of(self.recipe.training.seed, reading.rows[0]["prompt"])
            for row in reading.rows:
                yield self._of(source, row, next(encoded), place)

    def _of(self, source: SourceRow, row: Row, made: Encoded | ValueError, place: float) -> Judged:
        limit, choice = self.recipe.training.max_length, self.recipe.data.long_rows
        if isinstance(made, ValueError):
            return Judged(source, problem=str(made))
        if problem := unlabelled(made, row, self._stops, answers_before_too=not self._all_turns):
            return Judged(source, problem=problem)
        count = len(made.tokens)
        if count > limit and choice != "truncate":
            if choice == "fail":
                raise JobError(
                    f"{source.file}, line {source.line}: has {count} tokens, more than training.max_length {limit}, "
                    "and data.long_rows is fail: raise max_length, or have such rows cut (truncate) or left out (drop)"
                )
            return Judged(source, too_long=True)
        if made.answer >= limit:
            return Judged(
                source,
                problem=f"its question has {made.answer} of {count} tokens: training.max_length {limit} would cut the "
                "whole answer off: raise it, or leave such rows out with data.long_rows: drop",
            )
        return Judged(source, row, tokens=count, of_answer=count - made.answer, place=place)


def collect(data_files: Iterable[Path], judge: Judge, store: RowStore, rejected_file: Path) -> Collected:
    """What the files hold: usable rows are in the store, the others in a file of JSON Lines.

    Raises:
        JobError: a file can't be read, or more rows are rejected than the recipe allows.
    """
    collected = Collected()
    judged_rows = judge.all((source for file in data_files for source in read_rows(file)), collected)
    with rejected_file.open("w", encoding="utf-8") as out:
        while batch := list(islice(judged_rows, AT_ONCE)):
            collected.seen += len(batch)
            for judged in batch:
                if judged.problem:
                    _reject(judged, collected, out)
            collected.dropped_for_length += sum(judged.too_long for judged in batch)
            store.add(
                StoredRow(judged.row, judged.place, judged.tokens, judged.of_answer)
                for judged in batch
                if judged.row is not None
            )
    collected.refuse_too_many_rejected(judge.recipe.data)
    _say_what_is_ignored(collected)
    return collected


def _reject(judged: Judged, collected: Collected, out: TextIO) -> None:
    source, reason = judged.source, judged.problem or ""
    collected.reject(source, reason)
    # The output with the rejected rows is not kept of a failed job: the log has the first of them.
    if collected.rejected <= SHOWN_IN_LOG:
        log.warning("%s, line %s: %s", source.file, source.line, reason)
    item = {"file": source.file, "line": source.line, "reason": reason, "row": source.value}
    # A table's rejected row may hold what JSON has no form for: dates, decimals, bytes.
    line = json.dumps(item, ensure_ascii=False, default=str)
    out.write(line.encode(errors="backslashreplace").decode() + "\n")


def _say_what_is_ignored(collected: Collected) -> None:
    for key, count in collected.ignored_keys.most_common():
        log.info("key %s of %d rows is not trained on", shown(key), count)
    if collected.untrained_answers:
        log.info("%d answers of conversations are read and not trained", collected.untrained_answers)
    log.info("read: %s", ", ".join(f"{count} {kind}" for kind, count in collected.kinds.most_common()) or "no rows")
