"""Rows of an instruction data set: checked, and brought from the forms that people have into one.

The form is TRL's conversational prompt-completion: `{"prompt": [messages…], "completion": [message]}`. Whatever changes
what a row means is used, or the row is refused with what it is for; what means nothing known is named and counted.
"""

import json
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tunestack_training import row_files
from tunestack_training.messages import TOOLS, Conversation, Message, UnusableError, conversation_of, system_message
from tunestack_training.row_files import SourceRow, parse_line
from tunestack_training.row_keys import (
    ANSWERS,
    CONTEXTS,
    CONVERSATIONS,
    HISTORY,
    JUDGED,
    KNOWN,
    MEANS,
    QUESTIONS,
    SYSTEMS,
    VERDICTS,
)  # fmt: skip

__all__ = ["Row", "SourceRow", "parse_line"]
Row = dict[str, Any]
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]{0,49}")
WANTED = 'a row needs "instruction" and "response", or "messages" with roles and contents'


@dataclass(kw_only=True)
class Reading:
    """What became of a row: itself in the one form, once for each answer that is trained, or the reason why not.

    And what of it nothing is done with.
    """

    rows: tuple[Row, ...] = ()
    problem: str | None = None
    kind: str = ""
    ignored: Counter[str] = field(default_factory=Counter)
    untrained_answers: int = 0

    @property
    def row(self) -> Row | None:
        """The row of the last answer, if there is one."""
        return self.rows[-1] if self.rows else None


def read_rows(file: Path) -> Iterator[SourceRow]:
    """Every row of a file of any kind that is read.

    Raises:
        JobError: the file as a whole can't be read: empty, wrongly encoded, cut off, or of another kind.
    """
    return row_files.read_rows(file, names_rows)


def names_rows(columns: Sequence[str]) -> bool:
    """Whether columns are those of rows: a conversation, or a question and something else."""
    names = {column.strip().lower() for column in columns}
    return bool(names & {*CONVERSATIONS}) or bool(names & {*QUESTIONS, "input", "text"} and len(names) > 1)


def read_row(value: Any, reserved: Collection[str] = (), *, all_turns: bool = False) -> Reading:
    """A row in the one form, or why it can't be. No text may hold what is `reserved` for the template.

    Of a conversation the last answer is trained, or with `all_turns` each of them.
    """
    try:
        reading = _read(_named_as_known(value), all_turns=all_turns)
    except UnusableError as error:
        return Reading(problem=str(error))
    row = reading.rows[-1]
    problem = _unusable(row["prompt"] + row["completion"], reserved)
    return Reading(problem=problem) if problem else reading


def to_conversation(value: Any, reserved: Collection[str] = ()) -> tuple[Row | None, str | None]:
    """The row of `read_row`, or the reason."""
    reading = read_row(value, reserved)
    return reading.row, reading.problem


def shown(name: Any) -> str:
    """A key for a message or a log: a word as it is, and nothing that could be a row's content."""
    return repr(name) if isinstance(name, str) and _WORD.fullmatch(name) else "(not a word)"


def _named_as_known(value: Any) -> Row:
    """A row whose keys are as they are known here: hubs have `Question`, and CSV headers blanks."""
    if not isinstance(value, dict):
        raise UnusableError(f"{WANTED}; got {type(value).__name__}")
    plain = {key: key.strip().lower() if isinstance(key, str) else key for key in value}
    named = {key: name if name in KNOWN and name not in value else key for key, name in plain.items()}
    if len({*named.values()}) < len(named):
        twice = next(name for name, count in Counter(named.values()).items() if count > 1)
        raise UnusableError(f"two keys are {twice!r}, but for capitals and blanks: leave one out")
    return {named[key]: item for key, item in value.items()}


def _read(value: Row, *, all_turns: bool) -> Reading:
    _refuse_other_meanings(value)
    if found := _conversation_in(value):
        return _of_conversation(value, found, all_turns=all_turns)
    questions = [key for key in QUESTIONS if key in value] or [key for key in ("input",) if key in value]
    answers = [key for key in ANSWERS if _is_there(value.get(key))] or [key for key in ANSWERS if key in value]
    if not questions or not answers:
        raise UnusableError(_what_is_missing(value))
    for what, names in (("question", questions), ("answer", answers)):
        if len(names) > 1:
            raise UnusableError(f"{' and '.join(map(repr, names))} may both be its {what}: leave one out")
    return _of_pair(value, questions[0], answers[0], all_turns=all_turns)


def _conversation_in(value: Row) -> str | None:
    """The key of a row's conversation; an empty one counts where there is nothing else."""
    found = [key for key in CONVERSATIONS if _is_there(value.get(key))]
    if not found and not value.keys() & {*QUESTIONS, "input"}:
        found = [key for key in CONVERSATIONS if key in value]
    return found[0] if found else None


def _refuse_other_meanings(value: Row) -> None:
    """
    Raises:
        UnusableError: a key makes of the row something else than a question and its answer.
    """
    answer = any(_is_there(value.get(key)) for key in (*ANSWERS, *CONVERSATIONS))
    if answer and str(value.get("label")).lower() in VERDICTS:
        raise UnusableError(f"with 'label' {JUDGED}")
    for key in (key for key in MEANS if key in value):
        if _is_there(value[key]):
            raise UnusableError(f"with {key!r} {MEANS[key]}")
    if found := next((key for key in TOOLS if key in value and _is_there(value[key])), None):
        raise UnusableError(f"{found!r}: calls of tools are not trained")
    if _is_there(value.get("weight")) and str(value["weight"]) not in ("1", "1.0"):
        raise UnusableError("'weight': rows are trained alike: leave out what must not be trained, and the key")


def _is_there(value: Any) -> bool:
    """Whether a key says anything: many rows have all keys of their format, most of them empty."""
    return value is not None and value not in ("", [], {})


def _what_is_missing(value: Row) -> str:
    if _is_there(value.get("text")):
        return "'text' is plain text: name its question 'instruction' and its answer 'response'"
    return f"{WANTED}; got the keys {', '.join(map(shown, value)) or 'none'}"


def _of_conversation(value: Row, key: str, *, all_turns: bool) -> Reading:
    conversation = conversation_of(value[key], key)
    system, used = _system_of(value)
    if system and conversation.messages and conversation.messages[0]["role"] == "system":
        raise UnusableError("it has two system messages: one beside its conversation, one in it")
    if [message["role"] for message in conversation.messages[-2:]] != ["user", "assistant"]:
        raise UnusableError("the last message must be the assistant's, after a user's")
    conversation.messages = system + conversation.messages
    conversation.trained = [False for _ in system] + conversation.trained
    ignored = Counter(name for name in value.keys() - {key, *used} if _is_there(value[name])) + conversation.ignored
    return _trained(conversation, key, all_turns=all_turns, kind="conversations", ignored=ignored)


def _trained(conversation: Conversation, key: str, *, all_turns: bool, kind: str, ignored: Counter[str]) -> Reading:
    """A row for each answer that is to be trained, with what stands before it."""
    messages = conversation.messages
    answers = [index for index, message in enumerate(messages) if message["role"] == "assistant"]
    chosen = [index for index in answers if conversation.trained[index]]
    if not chosen:
        raise UnusableError(f"no answer of {key!r} is to be trained: all have a weight of 0")
    after_a_user = [index for index in chosen if index and messages[index - 1]["role"] == "user"]
    if chosen[-1] not in after_a_user:
        raise UnusableError("the answer that is to be trained must stand after a user's message")
    used = after_a_user if all_turns else after_a_user[-1:]
    return Reading(
        rows=tuple({"prompt": messages[:index], "completion": messages[index : index + 1]} for index in used),
        kind=kind,
        ignored=ignored,
        untrained_answers=len(answers) - len(used),
    )


def _of_pair(value: Row, question: str, answer: str, *, all_turns: bool) -> Reading:
    if isinstance(value[question], list) or (isinstance(value[answer], list) and _are_messages(value[answer])):
        return _of_messages(value, question, answer, all_turns=all_turns)
    system, used = _system_of(value)
    prompt = [*system, *_history_of(value), {"role": "user", "content": question_text(value, question)}]
    text = value[answer]
    if isinstance(text, dict | list | bool | int | float):
        # What is asked for is JSON then: as such it is trained.
        text = json.dumps(text, ensure_ascii=False)
    if not isinstance(text, str):
        raise UnusableError(f"{answer!r} must be text, got {type(text).__name__}")
    if not text.strip():
        raise UnusableError(f"{answer!r} is empty")
    names = value.keys() - {question, answer, *CONTEXTS, *used, HISTORY}
    messages = [*prompt, {"role": "assistant", "content": text}]
    return _trained(
        Conversation(messages=messages, trained=[message["role"] == "assistant" for message in messages]),
        answer,
        all_turns=all_turns,
        kind="questions with answers",
        ignored=Counter(name for name in names if _is_there(value[name])),
    )


def _are_messages(given: list[Any]) -> bool:
    return all(isinstance(item, dict) and {"role", "content"} <= item.keys() for item in given)


def _of_messages(value: Row, question: str, answer: str, *, all_turns: bool) -> Reading:
    """TRL's own form: question and answer as messages."""
    asked, told = value[question], value[answer]
    if isinstance(told, str):
        told = [{"role": "assistant", "content": told}]
    if not isinstance(asked, list) or not isinstance(told, list):
        raise UnusableError(f"{question!r} and {answer!r} must both be texts, or both messages")
    rest = {key: item for key, item in value.items() if key not in (question, answer)}
    return _of_conversation({**rest, "messages": [*asked, *told]}, "messages", all_turns=all_turns)


def _system_of(value: Mapping[str, Any]) -> tuple[list[Message], tuple[str, ...]]:
    found = [key for key in SYSTEMS if _is_there(value.get(key))]
    return system_message(value[found[0]], found[0]) if found else [], tuple(found[:1])


def _history_of(value: Row) -> list[Message]:
    """The turns before a question, as Alpaca has them: pairs of question and answer."""
    turns = value.get(HISTORY) or []
    good = isinstance(turns, list) and all(
        isinstance(turn, list) and [type(text) for text in turn] == [str, str] and all(text.strip() for text in turn)
        for turn in turns
    )
    if not good:
        raise UnusableError(f"{HISTORY!r} must be a list of pairs of texts: a question and its answer")
    roles = ("user", "assistant")
    return [{"role": role, "content": text} for turn in turns for role, text in zip(roles, turn, strict=True)]


def question_text(value: Mapping[str, Any], key: str) -> str:
    """The text of a question, with what belongs to it behind it.

    Raises:
        UnusableError: one of them is no text, or all are empty.
    """
    names = [key, *(name for name in CONTEXTS if name != key)]
    for name in names:
        if not isinstance(value.get(name), str | None):
            raise UnusableError(f"{name!r} must be text, got {type(value[name]).__name__}")
    texts = [text for name in names if (text := value.get(name)) and text.strip()]
    if not texts:
        raise UnusableError(f"{key!r} is empty")
    return "\n\n".join(texts)


def _unusable(messages: list[Row], reserved: Collection[str]) -> str | None:
    """What keeps texts from being tokenized as what they are."""
    for text in (message[key] for message in messages for key in ("content", "reasoning_content") if key in message):
        try:
            text.encode()
        except UnicodeEncodeError as error:
            return f"character {error.start} of a text is half of a pair (\\u{ord(text[error.start]):04x})"
        if found := next((token for token in reserved if token in text), None):
            return f"a text holds {found!r}, which the model takes for a mark of its own"
    return None


def to_prompt(value: Any, reserved: Collection[str] = ()) -> list[Message]:
    """The messages that a request asks to be answered. No text may hold what is `reserved` for the template.

    Raises:
        ValueError: the request is of no known form.
    """
    if not isinstance(value, dict):
        raise UnusableError(f"must be a JSON object, got {type(value).__name__}")
    value = _named_as_known(value)
    if found := _conversation_in(value):
        messages = conversation_of(value[found], found).messages
        if not messages or messages[-1]["role"] != "user":
            raise UnusableError("the last message must be the user's")
    elif found := next((key for key in QUESTIONS if key in value), None):
        if isinstance(value[found], list):
            return to_prompt({"messages": value[found]}, reserved)
        messages = [*_history_of(value), {"role": "user", "content": question_text(value, found)}]
    else:
        raise UnusableError('must have "instruction" or "messages"')
    messages = _system_of(value)[0] + messages
    if problem := _unusable(messages, reserved):
        raise UnusableError(problem)
    return messages
