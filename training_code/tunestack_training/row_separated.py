"""Rows of CSV and its like: what stands between the fields is found by the line that names the columns."""

import csv
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tunestack_training.failure import JobError
from tunestack_training.file_text import MAX_LINE, decoded, not_utf_8, text_of
from tunestack_training.source_row import SourceRow

_DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
# The line by which Excel says what stands between fields.
_EXCEL = re.compile(r'"?sep=(.)"?', re.IGNORECASE)
# What a table drawn with bars and lines has below its header.
_DRAWN = re.compile(r"[-:+ ]*")


class _Dialect(NamedTuple):
    """How a file is written: lines before its header, and how its fields are told apart."""

    before: int
    delimiter: str
    is_padded: bool
    is_quoted: bool = True

    def reader(self, text: Any) -> Any:
        """The fields of each line, the header first."""
        for _ in range(self.before):
            text.readline()
        how: dict[str, Any] = {} if self.is_quoted else {"quoting": csv.QUOTE_NONE}
        return csv.reader(text, delimiter=self.delimiter, skipinitialspace=self.is_padded, strict=True, **how)


def read_separated(file: Path, columns_known: Callable[[Sequence[str]], bool]) -> Iterator[SourceRow]:
    """Every row of a file whose first line names the columns; `columns_known` says whether they are those of rows.

    Raises:
        JobError: the columns have no names, or the file is cut off.
    """
    csv.field_size_limit(MAX_LINE)
    dialect = _dialect(file, columns_known)
    if dialect.delimiter == "\t" and not _is_readable(file, dialect):
        # Exports of databases put no quotes around fields, and some within.
        dialect = dialect._replace(is_quoted=False)
    with text_of(file) as text:
        reader = dialect.reader(text)
        try:
            names = [name.strip() for name in next(reader)]
            if any(count > 1 for name, count in Counter(names).items() if name):
                raise JobError(f"{file.name}: its first line names a column twice")
            for fields in reader:
                row = _row(file, dialect.before + reader.line_num, names, fields, is_drawn=dialect.delimiter == "|")
                if row:
                    yield row
        except csv.Error as error:
            line = dialect.before + reader.line_num
            way = 'within quotes a quote is doubled: ""'
            raise JobError(f"{file.name}, after line {line}: not CSV, or half-written: {error} ({way})") from None
        except UnicodeDecodeError as error:
            raise not_utf_8(file, error) from None


def _row(file: Path, line: int, names: list[str], fields: list[str], *, is_drawn: bool) -> SourceRow | None:
    """A row, or None where a line has none."""
    if is_drawn:
        fields = [field.strip() for field in fields]
    if not any(fields) or (is_drawn and all(map(_DRAWN.fullmatch, fields))):
        return None
    # Columns without a name are a table's index, or what Excel leaves behind.
    row = {name: field for name, field in zip(names, fields, strict=False) if name}
    problem = None
    if len(fields) < len(names) or any(fields[len(names) :]):
        problem = f"a row needs {len(names)} fields, as the header has"
    elif all(name == field.strip() for name, field in row.items()):
        problem = "it names the columns once more, as of files that were joined"
    return SourceRow(file.name, line, row, problem)


def _is_readable(file: Path, dialect: _Dialect) -> bool:
    try:
        with text_of(file) as text:
            for _ in dialect.reader(text):
                pass
    except (csv.Error, UnicodeDecodeError):
        return False
    return True


def _dialect(file: Path, columns_known: Callable[[Sequence[str]], bool]) -> _Dialect:
    """What stands between the fields, and whether a blank follows it: where the header names the columns of rows.

    Raises:
        JobError: no line does.
    """
    before, given, header, first = _beginning(file)
    for delimiter in _DELIMITERS if given is None else (given,):
        names = next(csv.reader([header], delimiter=delimiter, skipinitialspace=True), [])
        if columns_known([name.strip() for name in names]):
            others = header.split(delimiter)[1:]
            is_padded = bool(others) and all(name.startswith(" ") for name in others)
            return _Dialect(before, delimiter, is_padded or f'{delimiter} "' in first)
    # Not shown: a file without a header has a row there.
    raise JobError(
        f"{file.name}: its first line must name the columns, instruction and response among them, with "
        f"{', '.join(_DELIMITERS.values())} between them"
    )


def _beginning(file: Path) -> tuple[int, str | None, str, str]:
    """How many empty lines and such of Excel's a file has first, the delimiter of those, its header and first row."""
    given = None
    with text_of(file) as text:
        before = 0
        while line := decoded(file, text.readline):
            if said := _EXCEL.fullmatch(line.rstrip("\r\n")):
                given = said[1]
            elif line.strip("\r\n\t ,;|"):
                return before, given, line.rstrip("\r\n"), decoded(file, text.readline)
            before += 1
    return 0, None, "", ""
