"""Rows on their way from files to splits: on the disk, so that memory doesn't grow with them."""

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple

from tunestack_training.failure import JobError
from tunestack_training.recipe import Data
from tunestack_training.rows import Row

SPLITS = ("train", "validation", "test")
_TABLE = """
CREATE TABLE rows (
    number INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, question BLOB NOT NULL, place REAL NOT NULL,
    tokens INTEGER NOT NULL, of_answer INTEGER NOT NULL, row TEXT NOT NULL
)
"""
_DIGEST_BYTES = 16
_ordered = json.JSONEncoder(sort_keys=True).encode
_line = json.JSONEncoder(ensure_ascii=False).encode


class StoredRow(NamedTuple):
    """A row with its place among the splits, from 0 to 1, and its size in tokens, 0 where nobody counted."""

    row: Row
    place: float
    tokens: int = 0
    of_answer: int = 0


class Splits(NamedTuple):
    """Where among the places the held-out rows end, and behind them those that watch the training."""

    test_end: float
    validation_end: float

    def of(self, place: float) -> str:
        """The split of a place."""
        return "test" if place < self.test_end else "validation" if place < self.validation_end else "train"


class RowStore(AbstractContextManager["RowStore"]):
    """Each row once, in the order in which they came. It lasts as long as it is open."""

    def __init__(self, file: Path | None = None) -> None:
        # Without a name SQLite makes a file of its own where temporary files lie, and takes it away.
        self._rows = sqlite3.connect(str(file or ""), isolation_level=None)
        for setting in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -16000"):
            self._rows.execute(f"PRAGMA {setting}")
        self._rows.execute(_TABLE)
        self.duplicates = 0

    def __exit__(self, *_: object) -> None:
        self._rows.close()

    def add(self, rows: Iterable[StoredRow]) -> None:
        """Keep rows; those that are there already are counted."""
        values = [_values(item) for item in rows]
        self._rows.execute("BEGIN")
        done = self._rows.executemany("INSERT OR IGNORE INTO rows VALUES (NULL, ?, ?, ?, ?, ?, ?)", values)
        self._rows.execute("COMMIT")
        self.duplicates += len(values) - done.rowcount

    def __len__(self) -> int:
        return int(self._one("SELECT count(*) FROM rows"))

    def keep(self, limit: int, seed: int) -> None:
        """Drop all but so many rows, chosen by the seed."""
        self._rows.create_function("chosen", 1, lambda key: hashlib.sha256(b"%d" % seed + key).digest())
        self._rows.execute(
            "DELETE FROM rows WHERE number NOT IN (SELECT number FROM rows ORDER BY chosen(digest) LIMIT ?)", (limit,)
        )

    def contradictions(self) -> int:
        """How many questions have several different answers."""
        return int(self._one("SELECT count(*) FROM (SELECT 1 FROM rows GROUP BY question HAVING count(*) > 1)"))

    def splits(self, data: Data) -> Splits:
        """Where the splits end: by the recipe's shares, and of few rows as many are held out as a gate needs.

        Raises:
            JobError: there are too few rows.
        """
        self._rows.execute("CREATE INDEX IF NOT EXISTS places ON rows (place)")
        found, needed = int(self._one("SELECT count(DISTINCT place) FROM rows")), data.min_test_rows
        if found < 2 * (needed + 1):
            raise JobError(
                f"{found} different questions are too few: {needed} are held out (data.min_test_rows), one more "
                "watches the training, and at least as many must be trained on"
            )
        test_end = max(data.test_fraction, self._after(0, needed))
        made = Splits(test_end, max(test_end + data.validation_fraction, self._after(test_end, 1)))
        if not self._one("SELECT count(*) FROM rows WHERE place >= ?", made.validation_end):
            raise JobError(
                f"of {len(self)} rows none is left to train on: lower data.validation_fraction "
                f"({data.validation_fraction}) or data.test_fraction ({data.test_fraction})"
            )
        return made

    def _after(self, start: float, count: int) -> float:
        """A limit that so many of the places from `start` on lie below."""
        places = self._rows.execute(
            "SELECT DISTINCT place FROM rows WHERE place >= ? ORDER BY place LIMIT ?", (start, count + 1)
        ).fetchall()
        return (places[count - 1][0] + places[count][0]) / 2 if len(places) > count else 1.0

    def lines(self) -> Iterator[tuple[float, str]]:
        """Every row with its place, as a line of JSON."""
        yield from self._rows.execute("SELECT place, row FROM rows NOT INDEXED ORDER BY number")

    def rows_of(self, splits: Splits, name: str) -> Iterator[tuple[int, str]]:
        """The rows of a split with their numbers, as lines of JSON."""
        of_split = "SELECT number, row FROM rows NOT INDEXED WHERE place >= ? AND place < ? ORDER BY number"
        yield from self._rows.execute(of_split, self._ends(splits)[name])

    def drop(self, numbers: Iterable[int]) -> None:
        """Drop rows by their numbers."""
        self._rows.execute("BEGIN")
        self._rows.executemany("DELETE FROM rows WHERE number = ?", ((number,) for number in numbers))
        self._rows.execute("COMMIT")

    def sizes(self, splits: Splits) -> dict[str, int]:
        """How many rows each split has."""
        counted = "SELECT count(*) FROM rows WHERE place >= ? AND place < ?"
        return {name: int(self._one(counted, *ends)) for name, ends in self._ends(splits).items()}

    @staticmethod
    def _ends(splits: Splits) -> dict[str, tuple[float, float]]:
        test_end, validation_end = splits
        return {"train": (validation_end, 2.0), "validation": (test_end, validation_end), "test": (0.0, test_end)}

    def token_counts(self, splits: Splits, limit: int) -> dict[str, Any]:
        """How long the rows to train on are, in tokens; `limit` is what a training sees of each."""
        figures = self._rows.execute(
            "SELECT sum(tokens), sum(max(0, min(tokens, :limit) - tokens + of_answer)), min(tokens), max(tokens), "
            "count(*), sum(tokens > :limit) FROM rows NOT INDEXED WHERE place >= :start",
            {"limit": limit, "start": splits.validation_end},
        )
        total, of_answers, least, most, count, longer = figures.fetchone()

        def at(index: int) -> int:
            ordered = "SELECT tokens FROM rows NOT INDEXED WHERE place >= ? ORDER BY tokens LIMIT 1 OFFSET ?"
            return int(self._one(ordered, splits.validation_end, index))

        return {
            "total": total,
            "of_answers": of_answers,
            "min": least,
            "median": (at((count - 1) // 2) + at(count // 2)) / 2,
            "p95": at(int(0.95 * (count - 1))),
            "max": most,
            "rows_longer_than_max_length": longer,
        }

    def _one(self, query: str, *values: float) -> Any:
        return self._rows.execute(query, values).fetchone()[0]


def place_of(seed: int, prompt: list[dict[str, Any]]) -> float:
    """Where a row lies among the splits, from 0 to 1: by its prompt and the seed alone.

    It stays when data is added, and rows with one prompt are never on two sides.
    """
    return int(digest([seed, prompt])[:12], 16) / 16**12


def digest(value: Any) -> str:
    """A name for a value: the same for the same."""
    return hashlib.sha256(_ordered(value).encode()).hexdigest()


def _values(item: StoredRow) -> tuple[bytes, bytes, float, int, int, str]:
    line = _line(item.row)
    return (
        _short(line),
        _short(_line([item.row["prompt"], item.row.get("tools")])),
        item.place,
        item.tokens,
        item.of_answer,
        line,
    )


def _short(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()[:_DIGEST_BYTES]
