"""Rows of an instruction data set: read from files, checked, and brought into one form.

The form is TRL's conversational prompt-completion: `{"prompt": [messages…], "completion": [message]}`.
"""

import csv
import io
import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunestack_training.failure import JobError

ROLES = ("system", "user", "assistant")
# A line of a data file or of a batch, in characters; and the messages of one conversation.
MAX_LINE, MAX_MESSAGES = 1_000_000, 1_000
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_\-]{0,29}")
# What calls tools, which nothing here is trained for: such a row would be trained as something else.
_TOOLS = ("tools", "tool_calls", "functions", "function_call")
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


def to_conversation(value: Any, reserved: Collection[str] = ()) -> tuple[Row | None, str | None]:
    """A row in the one form, or the reason why it can't be. No text may hold what is `reserved` for the template."""
    row, problem = _to_conversation(value)
    problem = problem or (_unusable(row["prompt"] + row["completion"], reserved) if row else None)
    return (None, problem) if problem else (row, None)


def ignored_keys(value: Mapping[str, Any]) -> list[str]:
    """The keys of a usable row that nothing is trained on."""
    if "messages" in value:
        return sorted(value.keys() - {"messages"})
    pair = next(pair for pair in _PAIRS if value.keys() >= {*pair})
    return sorted(value.keys() - {*pair, "input"})


def shown(name: Any) -> str:
    """A key for a message or a log: a word as it is, and nothing that could be a row's content."""
    return repr(name) if isinstance(name, str) and _WORD.fullmatch(name) else "(not a word)"


def untrained_answers(row: Row) -> int:
    """How many answers a conversation holds besides the one that is trained, its last."""
    return sum(message["role"] == "assistant" for message in row["prompt"])


def _to_conversation(value: Any) -> tuple[Row | None, str | None]:
    if not isinstance(value, dict):
        return None, f"{WANTED}; got {type(value).__name__}"
    if found := next((key for key in _TOOLS if value.get(key)), None):
        return None, f"{found!r}: calls of tools are not trained"
    if "messages" in value:
        return _from_messages(value["messages"])
    for question, answer in _PAIRS:
        if question in value and answer in value:
            return _from_pair(value, question, answer)
    return None, f"{WANTED}; got the keys {', '.join(map(shown, value)) or 'none'}"


def to_prompt(value: Any, reserved: Collection[str] = ()) -> list[Row]:
    """The messages that a request asks to be answered. No text may hold what is `reserved` for the template.

    Raises:
        ValueError: the request is of no known form.
    """
    messages = _to_prompt(value)
    if problem := _unusable(messages, reserved):
        raise ValueError(problem)
    return messages


def _to_prompt(value: Any) -> list[Row]:
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
            if not isinstance(value.get("input"), str | None):
                raise ValueError(f"'input' must be text, got {type(value['input']).__name__}")
            text = _question(value, key)
            if not text.strip():
                raise ValueError(f"{key!r} must be a text that isn't empty")
            return [{"role": "user", "content": text}]
    raise ValueError('must have "instruction" or "messages"')


def _from_pair(value: Row, question: str, answer: str) -> tuple[Row | None, str | None]:
    for key in (question, answer):
        if not isinstance(value[key], str):
            return None, f"{key!r} must be text, got {type(value[key]).__name__}"
        if not value[key].strip():
            return None, f"{key!r} is empty"
    if not isinstance(value.get("input"), str | None):
        return None, f"'input' must be text, got {type(value['input']).__name__}"
    return {
        "prompt": [{"role": "user", "content": _question(value, question)}],
        "completion": [{"role": "assistant", "content": value[answer]}],
    }, None


def _question(value: Row, key: str) -> str:
    extra = value.get("input")
    text = value[key] if isinstance(value[key], str) else ""
    return f"{text}\n\n{extra}" if isinstance(extra, str) and extra.strip() else text


def _from_messages(messages: Any) -> tuple[Row | None, str | None]:
    checked, problem = _checked_messages(messages)
    if problem:
        return None, problem
    if [message["role"] for message in checked[-2:]] != ["user", "assistant"]:
        return None, "the last message must be the assistant's, after a user's"
    return {"prompt": checked[:-1], "completion": checked[-1:]}, None


def _checked_messages(messages: Any) -> tuple[list[Row], str | None]:
    if not isinstance(messages, list) or not messages:
        return [], "'messages' must be a list that isn't empty"
    if len(messages) > MAX_MESSAGES:
        return [], f"'messages' has at most {MAX_MESSAGES:,} messages, got {len(messages):,}"
    checked = []
    for index, message in enumerate(messages):
        if found := next((key for key in _TOOLS if isinstance(message, dict) and message.get(key)), None):
            return [], f"messages[{index}]: {found!r}: calls of tools are not trained"
        if not isinstance(message, dict) or not isinstance(message.get("content"), str):
            return [], f"messages[{index}] needs 'role' and 'content', both text"
        if message.get("role") not in ROLES:
            return [], f"messages[{index}]: role must be one of {', '.join(ROLES)}"
        if not message["content"].strip():
            return [], f"messages[{index}]: content is empty"
        checked.append({"role": message["role"], "content": message["content"]})
    return checked, None


def _unusable(messages: list[Row], reserved: Collection[str]) -> str | None:
    """What keeps texts from being tokenized as what they are."""
    for message in messages:
        text = message["content"]
        try:
            text.encode()
        except UnicodeEncodeError as error:
            return f"character {error.start} of a text is half of a pair (\\u{ord(text[error.start]):04x})"
        if found := next((token for token in reserved if token in text), None):
            return f"a text holds {found!r}, which the model takes for a mark of its own"
    return None


def _read_json_lines(file: Path) -> Iterator[SourceRow]:
    text = _decode(file)
    lines = text.split("\n")
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            yield SourceRow(file.name, number, parse_line(line))
        except json.JSONDecodeError as error:
            if number == len(lines) and number > 1 and line.lstrip().startswith("{"):
                raise JobError(f"{file.name} is half-written: line {number}, its last, ends in the middle") from None
            yield SourceRow(file.name, number, line, f"not JSON: {error.msg} (column {error.colno})")
        except ValueError as error:
            yield SourceRow(file.name, number, line[:MAX_LINE], str(error))


def _read_csv(file: Path) -> Iterator[SourceRow]:
    csv.field_size_limit(MAX_LINE)
    reader = csv.DictReader(io.StringIO(_decode(file), newline=""), strict=True)
    if not any({*pair} <= {*(reader.fieldnames or ())} for pair in _PAIRS):
        # Not shown: a file without a header has a row there.
        raise JobError(f"{file.name}: its first line must name the columns, instruction and response among them")
    names = reader.fieldnames or ()
    if len({*names}) != len(names):
        raise JobError(f"{file.name}: its first line names a column twice")
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
        raise JobError(f"{file.name}, after line {reader.line_num}: not CSV, or half-written: {error}") from None


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
