"""Kinds of data files: told by the name, and held against what the file begins with."""

import codecs
import gzip
import zlib
from pathlib import Path

from tunestack_training.failure import JobError

COMPRESSED = ".gz"
SEPARATED = (".csv", ".tsv")
TABLES = (".parquet", ".arrow", ".feather")
KINDS = (".jsonl", ".ndjson", ".jsonlines", ".json", *SEPARATED, *TABLES)
"""The suffixes of what is read."""
# Suffix → what makes a file of rows of it.
_CONVERSIONS = {
    ".xlsx": "save it as CSV", ".xls": "save it as CSV", ".ods": "save it as CSV", ".zip": "unpack it",
    ".tar": "unpack it", ".tgz": "unpack it", ".zst": "unpack it", ".bz2": "unpack it", ".xz": "unpack it",
    ".yaml": "save it as JSON", ".yml": "save it as JSON", ".xml": "save its rows as JSON Lines",
    ".pkl": "save its rows as JSON Lines", ".txt": 'give each text as a line {"instruction": …, "response": …}',
    ".md": 'give each text as a line {"instruction": …, "response": …}',
}  # fmt: skip
# What files of other kinds begin with → what they are, and what makes a file of rows of one.
_BEGINNINGS = {
    b"PK\x03\x04": "a ZIP archive, or Excel's .xlsx: unpack it, or save it as CSV",
    b"\xd0\xcf\x11\xe0": "a file of an old Excel: save it as CSV",
    b"\x1f\x8b": f"packed by gzip: give its name {COMPRESSED} at the end",
    b"PAR1": "Parquet: give its name .parquet at the end",
    b"ARROW1": "Arrow: give its name .arrow at the end",
    b"(\xb5/\xfd": "packed by Zstandard: unpack it",
    b"\xfd7zXZ": "packed by xz: unpack it",
    b"BZh91AY&SY": "packed by bzip2: unpack it",
    b"Obj\x01": "Avro: save its rows as JSON Lines",
    b"SQLite format 3": "a database of SQLite: save its rows as JSON Lines",
    b"%PDF": "a PDF: save its rows as JSON Lines",
    b"version https://git-lfs": "a pointer of Git LFS, not the file itself: fetch it with git lfs pull",
    b"<!doctype html": "a web page: download the file itself",
    b"<html": "a web page: download the file itself",
}
_OF_KIND = {".parquet": b"PAR1", ".arrow": b"ARROW1", ".feather": b"ARROW1"}
_LONGEST = 64
# The marks of texts whose characters have several bytes.
_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)


def kind_of(name: str) -> str:
    """The suffix that says how a file is read, without that of its compression.

    Raises:
        JobError: nothing here reads it; how it becomes something that is read is said.
    """
    plain = name.lower().removesuffix(COMPRESSED)
    kind = Path(plain).suffix
    if kind in KINDS and not (kind in TABLES and name.lower().endswith(COMPRESSED)):
        return kind
    way = f": {_CONVERSIONS[kind]}" if kind in _CONVERSIONS else ""
    raise JobError(f"{name}: a data file ends in {', '.join(KINDS)} (or, of text, {COMPRESSED} behind it){way}")


def check_beginning(file: Path) -> None:
    """See that a file is not of a kind that its name doesn't say.

    Raises:
        JobError: it is; what makes a file of rows of it is said.
    """
    start = _beginning(file)
    for beginning, what in _BEGINNINGS.items():
        if start.lower().startswith(beginning.lower()) and _OF_KIND.get(kind_of(file.name)) != beginning:
            raise JobError(f"{file.name} is {what}")
    if kind_of(file.name) not in TABLES and b"\x00" in start[:4] and not start.startswith(_WIDE):
        raise JobError(f"{file.name} is UTF-16 without its mark, or no text: save it as UTF-8")


def _beginning(file: Path) -> bytes:
    """The first bytes of what is in a file, unpacked; none where it can't be: who reads it says so."""
    packed = file.name.lower().endswith(COMPRESSED)
    try:
        with gzip.open(file) if packed else file.open("rb") as content:
            start = content.read(_LONGEST)
            return start.removeprefix(b"\xef\xbb\xbf").lstrip(b" \r\n\t") if b"\x00" not in start[:4] else start
    except (OSError, EOFError, zlib.error):
        return b""
