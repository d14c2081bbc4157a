"""Rows of an instruction data set: read from files, checked, and brought into one form.

The form is TRL's conversational prompt-completion: `{"prompt": [messages…], "completion": [message]}`.
"""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunestack_training.failure import JobError

ROLES = ("system", "user", "assistant")
_PAIRS = (("instruction", "response"), ("prompt", "completion"), ("instruction", "output"))
WANTED = 'a row needs "instruction" and "response", or "messages" with roles and contents'
Row = dict[str, Any]


@dataclass(frozen=True)
class SourceRow:
    """A row as a file has it, or what kept it from being read."""

    file: str
    line: int
    value: Any
    problem: str | None = None


def read_rows(file: Path) -> Iterator[SourceRow]:
    """Every row of a JSON Lines, CSV or Parquet file.

    Raises:
        JobError: the file as a whole can't be read: empty, wrongly encoded, cut off, or of another kind.
    """
    if file.stat().st_size == 0:
        raise JobError(f"{file.name} is empty")
    readers = {".jsonl": _read_json_lines, ".csv": _read_csv, ".parquet": _read_parquet}
    reader = readers.get(file.suffix.lower())
    if reader is None:
        raise JobError(f"{file.name}: a data file ends in {', '.join(readers)}, not in {file.suffix!r}")
    yield from reader(file)


def to_conversation(value: Any) -> tuple[Row | None, str | None]:
    """A row in the one form, or the reason why it can't be."""
    if not isinstance(value, dict):
        return None, f"{WANTED}; got {type(value).__name__}"
    if "messages" in value:
        return _from_messages(value["messages"])
    for question, answer in _PAIRS:
        if question in value and answer in value:
            return _from_pair(value, question, answer)
    return None, f"{WANTED}; got the keys {', '.join(map(repr, value)) or 'none'}"


def to_prompt(value: Any) -> list[Row]:
    """The messages that a request asks to be answered.

    Raises:
        ValueError: the request is of no known form.
    """
    if not isinstance(value, dict):
        raise ValueError(f"must be a JSON object, got {type(value).__name__}")
    if "messages" in value:
        messages, problem = _checked_messages(value["messages"])
        if problem is None and messages and messages[-1]["role"] != "user":
            problem = "the last message must be the user's"
        if problem:
            raise ValueError(problem)
        return messages
    for key in ("instruction", "prompt"):
        if key in value:
            text = _question(value, key)
            if not text:
                raise ValueError(f"{key!r} must be a text that isn't empty")
            return [{"role": "user", "content": text}]
    raise ValueError('must have "instruction" or "messages"')


def _from_pair(value: Row, question: str, answer: str) -> tuple[Row | None, str | None]:
    for key in (question, answer):
        if not isinstance(value[key], str):
            return None, f"{key!r} must be text, got {type(value[key]).__name__}"
        if not value[key].strip():
            return None, f"{key!r} is empty"
    return {
        "prompt": [{"role": "user", "content": _question(value, question)}],
        "completion": [{"role": "assistant", "content": value[answer].strip()}],
    }, None


def _question(value: Row, key: str) -> str:
    extra = value.get("input")
    text = value[key].strip() if isinstance(value[key], str) else ""
    return f"{text}\n\n{extra.strip()}" if isinstance(extra, str) and extra.strip() else text


def _from_messages(messages: Any) -> tuple[Row | None, str | None]:
    checked, problem = _checked_messages(messages)
    if problem:
        return None, problem
    if len(checked) < 2 or checked[-1]["role"] != "assistant":
        return None, "the last message must be the assistant's, after a user's"
    return {"prompt": checked[:-1], "completion": checked[-1:]}, None


def _checked_messages(messages: Any) -> tuple[list[Row], str | None]:
    if not isinstance(messages, list) or not messages:
        return [], "'messages' must be a list that isn't empty"
    checked = []
    for index, message in enumerate(messages):
        if not isinstance(message, dict) or not isinstance(message.get("content"), str):
            return [], f"messages[{index}] needs 'role' and 'content', both text"
        if message.get("role") not in ROLES:
            return [], f"messages[{index}]: role must be one of {', '.join(ROLES)}, got {message.get('role')!r}"
        if not message["content"].strip():
            return [], f"messages[{index}]: content is empty"
        checked.append({"role": message["role"], "content": message["content"].strip()})
    return checked, None


def _read_json_lines(file: Path) -> Iterator[SourceRow]:
    text = _decode(file)
    lines = text.split("\n")
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            yield SourceRow(file.name, number, json.loads(line))
        except ValueError as error:
            if number == len(lines):
                raise JobError(f"{file.name} is half-written: line {number}, its last, ends in the middle") from None
            yield SourceRow(file.name, number, line, f"not JSON: {error}")


def _read_csv(file: Path) -> Iterator[SourceRow]:
    reader = csv.DictReader(io.StringIO(_decode(file), newline=""), strict=True)
    try:
        for row in reader:
            if None in row or None in row.values():
                wanted = len(reader.fieldnames or ())
                yield SourceRow(
                    file.name, reader.line_num, dict(row), f"a row needs {wanted} fields, as the header has"
                )
            else:
                yield SourceRow(file.name, reader.line_num, row)
    except csv.Error as error:
        raise JobError(f"{file.name}, line {reader.line_num}: not CSV, or half-written: {error}") from None


def _read_parquet(file: Path) -> Iterator[SourceRow]:
    import pyarrow
    import pyarrow.parquet

    try:
        rows = pyarrow.parquet.read_table(file).to_pylist()
    except (pyarrow.ArrowInvalid, OSError) as error:
        raise JobError(f"{file.name}: not Parquet, or half-written: {error}") from None
    for number, row in enumerate(rows, start=1):
        yield SourceRow(file.name, number, {key: value for key, value in row.items() if value is not None})


def _decode(file: Path) -> str:
    try:
        return file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise JobError(
            f"{file.name} is not UTF-8 (byte {error.start}: {error.reason}); save it as UTF-8 and add it again"
        ) from None
