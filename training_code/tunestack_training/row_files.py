"""Files of rows, read a row at a time: JSON Lines, JSON, CSV, Parquet and Arrow, as people have them."""

import codecs
import csv
import gzip
import io
import json
import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, TextIO, TypeVar

from tunestack_training.failure import JobError
from tunestack_training.file_kinds import COMPRESSED, SEPARATED, check_beginning, kind_of
from tunestack_training.json_lists import JsonListError, items_of, without_twins
from tunestack_training.row_tables import READERS
from tunestack_training.source_row import SourceRow

_Content = TypeVar("_Content", str, bytes)
# A line of a data file or of a batch, in characters.
MAX_LINE = 1_000_000
# By what a file begins with; UTF-8's own mark is none that must be there.
_MARKS = {codecs.BOM_UTF32_LE: "utf-32", codecs.BOM_UTF32_BE: "utf-32", codecs.BOM_UTF16_LE: "utf-16",
          codecs.BOM_UTF16_BE: "utf-16"}  # fmt: skip
_DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
# The line by which Excel says what stands between fields.
_EXCEL = re.compile(r"sep=(.)", re.IGNORECASE)


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
        yield from _read_separated(file, columns_known)
    elif _is_spread(file, kind):
        yield from _read_json(file)
    else:
        yield from _read_lines(file)


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
        raise ValueError(
            f"a line has at most {MAX_LINE:,} characters, got {len(line):,}: a row a line, not one object with all rows"
        )
    try:
        return json.loads(line, object_pairs_hook=without_twins)
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


def _is_spread(file: Path, kind: str) -> bool:
    """Whether JSON is a list in a .json file, or values that are spread over several lines."""
    with _text_of(file) as text:
        start = _decoded(file, lambda: text.read(MAX_LINE)).lstrip()
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
    before, given, header = _header(file)
    delimiter, padded = _dialect(file, header, given, columns_known)
    with _text_of(file) as text:
        for _ in range(before):
            text.readline()
        reader = csv.reader(text, delimiter=delimiter, skipinitialspace=padded, strict=True)
        try:
            names = [name.strip() for name in next(reader)]
            if any(count > 1 for name, count in Counter(names).items() if name):
                raise JobError(f"{file.name}: its first line names a column twice")
            for fields in reader:
                # Columns without a name are a table's index, or what Excel leaves behind.
                row = {name: field for name, field in zip(names, fields, strict=False) if name}
                fits = len(fields) >= len(names) and not any(fields[len(names) :])
                problem = None if fits else f"a row needs {len(names)} fields, as the header has"
                if any(fields):
                    yield SourceRow(file.name, before + reader.line_num, row, problem)
        except csv.Error as error:
            raise JobError(
                f"{file.name}, after line {before + reader.line_num}: not CSV, or half-written: {error} (within quotes "
                'a quote is doubled: "")'
            ) from None
        except UnicodeDecodeError as error:
            raise _not_utf_8(file, error) from None


def _header(file: Path) -> tuple[int, str | None, str]:
    """The line that names the columns; how many empty ones and of Excel's stand before it; the delimiter of those."""
    given = None
    with _text_of(file) as text:
        before = 0
        while line := _decoded(file, text.readline):
            if said := _EXCEL.fullmatch(line.rstrip("\r\n")):
                given = said[1]
            elif line.strip("\r\n\t ,;|"):
                return before, given, line.rstrip("\r\n")
            before += 1
    return 0, None, ""


def _dialect(
    file: Path, header: str, given: str | None, columns_known: Callable[[Sequence[str]], bool]
) -> tuple[str, bool]:
    """What stands between the fields, and whether a blank follows it: where the header names the columns of rows."""
    for delimiter in _DELIMITERS if given is None else (given,):
        names = next(csv.reader([header], delimiter=delimiter, skipinitialspace=True), [])
        if columns_known([name.strip() for name in names]):
            others = header.split(delimiter)[1:]
            return delimiter, bool(others) and all(name.startswith(" ") for name in others)
    # Not shown: a file without a header has a row there.
    raise JobError(
        f"{file.name}: its first line must name the columns, instruction and response among them, with "
        f"{', '.join(_DELIMITERS.values())} between them"
    )


def _text_of(file: Path) -> TextIO:
    """A file's text, unpacked, by the mark that it begins with."""
    with _opened(file) as binary:
        start = _unpacked(file, lambda: binary.read(4))
    encoding = next((name for mark, name in _MARKS.items() if start.startswith(mark)), "utf-8-sig")
    newline = "" if kind_of(file.name) in SEPARATED else "\n"
    return io.TextIOWrapper(_opened(file), encoding=encoding, newline=newline)


def _opened(file: Path) -> BinaryIO:
    return gzip.open(file) if file.name.lower().endswith(COMPRESSED) else file.open("rb")  # type: ignore[return-value]


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
