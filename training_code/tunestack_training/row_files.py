"""Files of rows, read a row at a time: JSON Lines, JSON, CSV, Parquet and Arrow, as people have them."""

import codecs
import csv
import gzip
import io
import json
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, TextIO, TypeVar

from tunestack_training.failure import JobError
from tunestack_training.json_lists import JsonListError, items_of

_Content = TypeVar("_Content", str, bytes)
# A line of a data file or of a batch, in characters.
MAX_LINE = 1_000_000
_COMPRESSED = ".gz"
# By what a file begins with; UTF-8's own mark is none that must be there.
_MARKS = {codecs.BOM_UTF32_LE: "utf-32", codecs.BOM_UTF32_BE: "utf-32", codecs.BOM_UTF16_LE: "utf-16",
          codecs.BOM_UTF16_BE: "utf-16"}  # fmt: skip
_DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
# Suffix → what makes a file of rows of it.
_CONVERSIONS = {
    ".xlsx": "save it as CSV", ".xls": "save it as CSV", ".ods": "save it as CSV", ".zip": "unpack it",
    ".tar": "unpack it", ".tgz": "unpack it", ".zst": "unpack it", ".bz2": "unpack it", ".xz": "unpack it",
    ".yaml": "save it as JSON", ".yml": "save it as JSON", ".xml": "save its rows as JSON Lines",
    ".pkl": "save its rows as JSON Lines", ".txt": 'give each text as a line {"instruction": …, "response": …}',
    ".md": 'give each text as a line {"instruction": …, "response": …}',
}  # fmt: skip


@dataclass(frozen=True)
class SourceRow:
    """A row as a file has it, or what kept it from being read."""

    file: str
    line: int
    value: Any
    problem: str | None = None


def read_rows(file: Path, columns_known: Callable[[Sequence[str]], bool]) -> Iterator[SourceRow]:
    """Every row of a file; `columns_known` says whether a table's columns are those of rows.

    Raises:
        JobError: the file as a whole can't be read: empty, wrongly encoded, cut off, or of another kind.
    """
    kind = kind_of(file.name)
    if file.stat().st_size == 0:
        raise JobError(f"{file.name} is empty")
    if kind in _TABLES:
        yield from _TABLES[kind](file)
    elif kind in _SEPARATED:
        yield from _read_separated(file, columns_known)
    elif kind == ".json":
        yield from _read_json(file)
    else:
        yield from _read_lines(file)


def kind_of(name: str) -> str:
    """The suffix that says how a file is read, without that of its compression.

    Raises:
        JobError: nothing here reads it; how it becomes something that is read is said.
    """
    plain = name.lower().removesuffix(_COMPRESSED)
    kind = Path(plain).suffix
    if kind in KINDS and not (kind in _TABLES and name.lower().endswith(_COMPRESSED)):
        return kind
    way = f": {_CONVERSIONS[kind]}" if kind in _CONVERSIONS else ""
    raise JobError(f"{name}: a data file ends in {', '.join(KINDS)} (or, of text, {_COMPRESSED} behind it){way}")


def check_text(file: Path) -> None:
    """See that a file's text can be read from its first character to its last.

    Raises:
        JobError: it can't.
    """
    with _text_of(file) as text:
        while _decoded(file, lambda: text.read(MAX_LINE)):
            pass


def parse_line(line: str | bytes) -> Any:
    """A line of JSON.

    Raises:
        ValueError: it is none, too long, or nested too deeply.
    """
    if len(line) > MAX_LINE:
        raise ValueError(f"a line has at most {MAX_LINE:,} characters, got {len(line):,}")
    try:
        return json.loads(line)
    except RecursionError:
        raise ValueError("is nested too deeply") from None


def _read_lines(file: Path) -> Iterator[SourceRow]:
    last: SourceRow | None = None
    with _text_of(file) as text:
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
    return isinstance(row.value, str) and row.value.lstrip().startswith("{") and len(row.value) < MAX_LINE


def _rows_of_line(name: str, number: int, line: str) -> Iterator[SourceRow]:
    """The row of a line, or the rows of a list in it."""
    try:
        value = parse_line(line)
    except json.JSONDecodeError as error:
        yield SourceRow(name, number, line, f"not JSON: {error.msg} (column {error.colno})")
    except ValueError as error:
        yield SourceRow(name, number, line[:MAX_LINE], str(error))
    else:
        yield from (SourceRow(name, number, item) for item in (value if isinstance(value, list) else [value]))


def _lines(file: Path, text: TextIO) -> Iterator[tuple[int, str]]:
    """Every line that isn't empty, with its number; of one that is too long as much as shows that it is."""
    number = 0
    while line := _decoded(file, lambda: text.readline(MAX_LINE + 1)):
        number += 1
        whole = line
        while not line.endswith("\n") and (line := _decoded(file, lambda: text.readline(MAX_LINE + 1))):
            whole = whole if len(whole) > MAX_LINE else whole + line
        if whole.strip():
            yield number, whole.removesuffix("\n")


def _read_json(file: Path) -> Iterator[SourceRow]:
    """A JSON file with a list of rows, or with a row a line."""
    with _text_of(file) as text:
        start = _decoded(file, lambda: text.read(1000)).lstrip()
    if not start.startswith("["):
        yield from _read_lines(file)
        return
    with _text_of(file) as text:
        items = items_of(lambda size: _decoded(file, lambda: text.read(size)), MAX_LINE)
        try:
            yield from (SourceRow(file.name, number, row) for number, row in enumerate(items, start=1))
        except JsonListError as error:
            raise JobError(f"{file.name}, line {error.line}: not JSON, or half-written: {error}") from None
        except RecursionError:
            raise JobError(f"{file.name} is nested too deeply") from None


def _read_separated(file: Path, columns_known: Callable[[Sequence[str]], bool]) -> Iterator[SourceRow]:
    csv.field_size_limit(MAX_LINE)
    with _text_of(file) as text:
        header = _decoded(file, text.readline).rstrip("\r\n")
    delimiter, padded = _dialect(file, header, columns_known)
    with _text_of(file) as text:
        reader = csv.reader(text, delimiter=delimiter, skipinitialspace=padded, strict=True)
        try:
            names = [name.strip() for name in next(reader)]
            if len({*names}) != len(names):
                raise JobError(f"{file.name}: its first line names a column twice")
            for fields in reader:
                row = dict(zip(names, fields, strict=False))
                problem = None if len(fields) == len(names) else f"a row needs {len(names)} fields, as the header has"
                if fields:
                    yield SourceRow(file.name, reader.line_num, row, problem)
        except csv.Error as error:
            raise JobError(f"{file.name}, after line {reader.line_num}: not CSV, or half-written: {error}") from None
        except UnicodeDecodeError as error:
            raise _not_utf_8(file, error) from None


def _dialect(file: Path, header: str, columns_known: Callable[[Sequence[str]], bool]) -> tuple[str, bool]:
    """What stands between the fields, and whether a blank follows it: where the header names the columns of rows."""
    for delimiter in _DELIMITERS:
        names = next(csv.reader([header], delimiter=delimiter, skipinitialspace=True), [])
        if columns_known([name.strip() for name in names]):
            others = header.split(delimiter)[1:]
            return delimiter, bool(others) and all(name.startswith(" ") for name in others)
    # Not shown: a file without a header has a row there.
    raise JobError(
        f"{file.name}: its first line must name the columns, instruction and response among them, with "
        f"{', '.join(_DELIMITERS.values())} between them"
    )


def _read_parquet(file: Path) -> Iterator[SourceRow]:
    import pyarrow
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(file) as table:
            yield from _rows_of(file, table.iter_batches(batch_size=1_000))
    except (pyarrow.ArrowException, OSError) as error:
        raise JobError(f"{file.name}: not Parquet, or half-written: {error}") from None


def _read_arrow(file: Path) -> Iterator[SourceRow]:
    import pyarrow
    import pyarrow.ipc

    try:
        with pyarrow.memory_map(str(file)) as source:
            try:
                opened = pyarrow.ipc.open_file(source)
                batches = (opened.get_batch(index) for index in range(opened.num_record_batches))
            except pyarrow.ArrowInvalid:
                source.seek(0)
                batches = iter(pyarrow.ipc.open_stream(source))
            yield from _rows_of(file, batches)
    except (pyarrow.ArrowException, OSError) as error:
        raise JobError(f"{file.name}: not Arrow, or half-written: {error}") from None


def _rows_of(file: Path, batches: Iterator[Any]) -> Iterator[SourceRow]:
    number = 0
    for batch in batches:
        for row in batch.to_pylist():
            number += 1
            yield SourceRow(file.name, number, {key: value for key, value in row.items() if value is not None})


_TABLES: dict[str, Callable[[Path], Iterator[SourceRow]]] = {
    ".parquet": _read_parquet, ".arrow": _read_arrow, ".feather": _read_arrow,
}  # fmt: skip
_SEPARATED = (".csv", ".tsv")
TABLES = tuple(_TABLES)
KINDS = (".jsonl", ".ndjson", ".json", *_SEPARATED, *TABLES)
"""The suffixes of what is read."""


def _text_of(file: Path) -> TextIO:
    """A file's text, unpacked, by the mark that it begins with."""
    with _opened(file) as binary:
        start = _unpacked(file, lambda: binary.read(4))
    encoding = next((name for mark, name in _MARKS.items() if start.startswith(mark)), "utf-8-sig")
    newline = "" if kind_of(file.name) in _SEPARATED else "\n"
    return io.TextIOWrapper(_opened(file), encoding=encoding, newline=newline)


def _opened(file: Path) -> BinaryIO:
    return gzip.open(file) if file.name.lower().endswith(_COMPRESSED) else file.open("rb")  # type: ignore[return-value]


def _decoded(file: Path, read: Callable[[], str]) -> str:
    try:
        return _unpacked(file, read)
    except UnicodeDecodeError as error:
        raise _not_utf_8(file, error) from None


def _unpacked(file: Path, read: Callable[[], _Content]) -> _Content:
    try:
        return read()
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise JobError(f"{file.name} is no gzip file, or half-written: {error}") from None


def _not_utf_8(file: Path, error: UnicodeDecodeError) -> JobError:
    """Most often it is what Excel writes by itself."""
    return JobError(
        f"{file.name} is not UTF-8 ({error.reason} at byte {error.start} of what was read); save it as UTF-8 and add "
        f"it again. If it is Windows-1252, as Excel's CSV: iconv -f WINDOWS-1252 -t UTF-8 {file.name}"
    )
