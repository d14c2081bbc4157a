"""Files of rows, read a row at a time: JSON Lines, JSON, CSV, Parquet and Arrow, as people have them."""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TextIO

from tunestack_training.failure import JobError
from tunestack_training.file_kinds import SEPARATED, check_beginning, kind_of
from tunestack_training.file_text import MAX_LINE, decoded, text_of
from tunestack_training.json_lists import JsonListError, items_of, without_twins
from tunestack_training.messages import is_message
from tunestack_training.row_separated import read_separated
from tunestack_training.row_tables import READERS
from tunestack_training.source_row import SourceRow

COMMA_BEHIND = "a comma stands behind the row: JSON Lines has none, save the rows without it"


def read_rows(file: Path, columns_known: Callable[[Sequence[str]], bool]) -> Iterator[SourceRow]:
    """Every row of a file; `columns_known` says whether a table's columns are those of rows.

    Raises:
        JobError: the file as a whole can't be read: empty, wrongly encoded, cut off, or of another kind.
    """
    kind = kind_of(file.name)
    if file.stat().st_size == 0:
        raise JobError(f"{file.name} is empty")
    check_beginning(file)
    if kind in READERS:
        yield from READERS[kind](file)
    elif kind in SEPARATED:
        yield from read_separated(file, columns_known)
    elif _is_spread(file, kind):
        yield from _read_json(file)
    else:
        yield from _read_lines(file)


def parse_line(line: str | bytes) -> Any:
    """A line of JSON.

    Raises:
        ValueError: it is none, too long, or nested too deeply.
    """
    if len(line) > MAX_LINE:
        raise ValueError(
            f"a line has at most {MAX_LINE:,} characters, got {len(line):,}: a row a line, not one object with all rows"
        )
    try:
        return json.loads(line, object_pairs_hook=without_twins)
    except RecursionError:
        raise ValueError("is nested too deeply") from None


def _read_lines(file: Path) -> Iterator[SourceRow]:
    last: SourceRow | None = None
    with text_of(file) as text:
        for number, line in _lines(file, text):
            if last is not None:
                yield last
            last = None
            for row in _rows_of_line(file.name, number, line):
                if last is not None:
                    yield last
                last = row
    if last is None:
        return
    if last.problem and last.line > 1 and _is_cut_off(last):
        raise JobError(f"{file.name} is half-written: line {last.line}, its last, ends in the middle")
    yield last


def _is_cut_off(row: SourceRow) -> bool:
    """Whether what isn't JSON begins as a row does."""
    begins = isinstance(row.value, str) and row.value.lstrip().startswith("{") and len(row.value) < MAX_LINE
    return begins and row.problem != COMMA_BEHIND


def _rows_of_line(name: str, number: int, line: str) -> Iterator[SourceRow]:
    """The row of a line, or the rows of a list in it."""
    try:
        value = parse_line(line)
    except json.JSONDecodeError as error:
        is_row = error.msg == "Extra data" and line[error.pos :].strip() == ","
        problem = COMMA_BEHIND if is_row else f"not JSON: {error.msg} (column {error.colno})"
        yield SourceRow(name, number, line, problem)
    except ValueError as error:
        yield SourceRow(name, number, line[:MAX_LINE], str(error))
    else:
        # A list of messages is a row.
        items = value if isinstance(value, list) and not any(map(is_message, value)) else [value]
        yield from (SourceRow(name, number, item) for item in items)


def _lines(file: Path, text: TextIO) -> Iterator[tuple[int, str]]:
    """Every line that isn't empty, with its number; of one that is too long as much as shows that it is."""
    number = 0
    while line := decoded(file, lambda: text.readline(MAX_LINE + 1)):
        number += 1
        whole = line
        while not line.endswith("\n") and (line := decoded(file, lambda: text.readline(MAX_LINE + 1))):
            whole = whole if len(whole) > MAX_LINE else whole + line
        if whole.strip():
            yield number, whole.removesuffix("\n")


def _is_spread(file: Path, kind: str) -> bool:
    """Whether JSON is a list in a .json file, or values that are spread over several lines."""
    with text_of(file) as text:
        start = decoded(file, lambda: text.read(MAX_LINE)).lstrip()
    if kind == ".json" and start.startswith("["):
        return True
    line = start.partition("\n")[0].rstrip()
    if not line.startswith(("{", "[")) or len(line) == len(start.rstrip()):
        return False
    try:
        json.JSONDecoder().raw_decode(line)
    except json.JSONDecodeError as error:
        # It goes on behind the end of the line: a broken row of its own would end with a brace.
        return error.pos >= len(line) or line.endswith(("{", "[", ","))
    except RecursionError:
        return False
    return False


def _read_json(file: Path) -> Iterator[SourceRow]:
    """A JSON file with a list of rows, or with rows one after the other."""
    with text_of(file) as text:
        items = items_of(lambda size: decoded(file, lambda: text.read(size)), MAX_LINE)
        try:
            yield from (SourceRow(file.name, number, row) for number, row in enumerate(items, start=1))
        except JsonListError as error:
            raise JobError(f"{file.name}, line {error.line}: not JSON, or half-written: {error}") from None
        except RecursionError:
            raise JobError(f"{file.name} is nested too deeply") from None
