"""The text of a file: unpacked, in the encoding that it begins with."""

import codecs
import gzip
import io
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, TextIO, TypeVar

from tunestack_training.failure import JobError
from tunestack_training.file_kinds import COMPRESSED, SEPARATED, kind_of

_Content = TypeVar("_Content", str, bytes)
# A line of a data file or of a batch, in characters.
MAX_LINE = 1_000_000
# By what a file begins with; UTF-8's own mark is none that must be there.
_MARKS = {codecs.BOM_UTF32_LE: "utf-32", codecs.BOM_UTF32_BE: "utf-32", codecs.BOM_UTF16_LE: "utf-16",
          codecs.BOM_UTF16_BE: "utf-16"}  # fmt: skip


def check_text(file: Path) -> None:
    """See that a file's text can be read from its first character to its last.

    Raises:
        JobError: it can't.
    """
    with text_of(file) as text:
        while decoded(file, lambda: text.read(MAX_LINE)):
            pass


def text_of(file: Path) -> TextIO:
    """A file's text, unpacked, by the mark that it begins with."""
    with _opened(file) as binary:
        start = _unpacked(file, lambda: binary.read(4))
    encoding = next((name for mark, name in _MARKS.items() if start.startswith(mark)), "utf-8-sig")
    newline = "" if kind_of(file.name) in SEPARATED else "\n"
    return io.TextIOWrapper(_opened(file), encoding=encoding, newline=newline)


def _opened(file: Path) -> BinaryIO:
    return gzip.open(file) if file.name.lower().endswith(COMPRESSED) else file.open("rb")  # type: ignore[return-value]


def decoded(file: Path, read: Callable[[], str]) -> str:
    """What is read of a file's text.

    Raises:
        JobError: it is no text in its encoding, or no whole gzip file.
    """
    try:
        return _unpacked(file, read)
    except UnicodeDecodeError as error:
        raise not_utf_8(file, error) from None


def _unpacked(file: Path, read: Callable[[], _Content]) -> _Content:
    try:
        return read()
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise JobError(f"{file.name} is no gzip file, or half-written: {error}") from None


def not_utf_8(file: Path, error: UnicodeDecodeError) -> JobError:
    """Most often it is what Excel writes by itself."""
    return JobError(
        f"{file.name} is not UTF-8 ({error.reason} at byte {error.start} of what was read); save it as UTF-8 and add "
        f"it again. If it is Windows-1252, as Excel's CSV: iconv -f WINDOWS-1252 -t UTF-8 {file.name}"
    )
