"""Rows of an instruction data set: checked, and brought from the forms that people have into one.

The form is TRL's conversational prompt-completion: `{"prompt": [messages…], "completion": [message]}`. Whatever changes
what a row means is used, or the row is refused with what it is for; what means nothing known is named and counted.
"""

import json
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tunestack_training import row_files
from tunestack_training.failure import UnusableError
from tunestack_training.messages import Conversation, Message, conversation_of, shown
from tunestack_training.row_answers import answer_text
from tunestack_training.row_files import parse_line
from tunestack_training.row_keys import (
    CONTEXTS,
    CONVERSATIONS,
    HISTORY,
    OTHER_QUESTIONS,
    PARTS,
    QUESTIONS,
    SYSTEMS,
    TEXT,
    is_there,
    meaning_of,
    plain_key,
)
from tunestack_training.row_parts import (
    Row,
    answer_in_row,
    before_question,
    conversation_in,
    messages_in,
    named_as_known,
    question_in,
    question_text,
    system_of,
    what_else,
    with_system,
)  # fmt: skip
from tunestack_training.source_row import SourceRow
from tunestack_training.tool_calls import TOOLS, tools_of

__all__ = ["Row", "SourceRow", "parse_line", "shown"]
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
    names = {*map(plain_key, columns)}
    return bool(names & {*CONVERSATIONS}) or bool(names & {*QUESTIONS, *OTHER_QUESTIONS, TEXT} and len(names) > 1)


def read_row(value: Any, reserved: Collection[str] = (), *, all_turns: bool = False) -> Reading:
    """A row in the one form, or why it can't be. No text may hold what is `reserved` for the template.

    Of a conversation the last answer is trained, or with `all_turns` each of them.
    """
    try:
        reading = _read(value, all_turns=all_turns)
    except UnusableError as error:
        return Reading(problem=str(error))
    except RecursionError:
        return Reading(problem="is nested too deeply")
    row = reading.rows[-1]
    problem = unusable(row["prompt"] + row["completion"], reserved, row.get("tools"))
    return Reading(problem=problem) if problem else reading


def to_conversation(value: Any, reserved: Collection[str] = ()) -> tuple[Row | None, str | None]:
    """The row of `read_row`, or the reason."""
    reading = read_row(value, reserved)
    return reading.row, reading.problem


def _read(value: Any, *, all_turns: bool) -> Reading:
    if isinstance(value, list) and messages_in(value):
        value = {"messages": value}
    if not isinstance(value, dict):
        raise UnusableError(f"{WANTED}; got {type(value).__name__}")
    value = named_as_known(value)
    if found := conversation_in(value):
        return _of_conversation(value, found, all_turns=all_turns)
    question, answer = question_in(value), answer_in_row(value)
    whole = _wrapped(value) if question is None or answer is None or not isinstance(value[question], str) else None
    if question is None or answer is None or whole:
        raise UnusableError(whole or _what_is_missing(value))
    return _of_pair(value, question, answer, all_turns=all_turns)


def _what_is_missing(value: Row) -> str:
    """Why a row is none, and what it is for, if one of its keys says so."""
    if is_there(value.get(TEXT)):
        of_class = " and 'label' its class" if is_there(value.get("label")) else ""
        return f"'text' is plain text{of_class}: name its question 'instruction' and its answer 'response'"
    for key, item in value.items():
        if key not in PARTS and (meaning := meaning_of(key, item)) and not meaning.asked:
            return f"with {shown(key)} {meaning.reason}"
    keys = ", ".join(shown(key) for key in value if is_there(value[key])) or "none"
    return f"{WANTED}; got the keys {keys}"


def _wrapped(value: Row) -> str | None:
    """What a row is that holds the others, as a whole file may."""
    pandas = "as pandas writes it: save the rows, with to_json(orient='records', lines=True)"
    for key, item in value.items():
        if isinstance(item, list) and item and all(isinstance(one, dict) and names_rows([*one]) for one in item):
            return f"{shown(key)} is a list of rows: save that list alone, a file has no object around it"
        if isinstance(item, dict) and "0" in item:
            return f"{shown(key)} is a column, {pandas}"
        if key in QUESTIONS and isinstance(item, list) and len(item) > 1 and all(isinstance(one, str) for one in item):
            return f"{shown(key)} is a column: save the rows, a row a line"
    is_table = isinstance(value.get("columns"), list) and isinstance(value.get("data"), list)
    return f"it is a table, {pandas}" if is_table else None


def _of_conversation(value: Row, key: str, *, all_turns: bool) -> Reading:
    conversation = conversation_of(value[key], key)
    messages = with_system(system_of(value), conversation.messages)
    tools = tools_of(value)
    ignored = conversation.ignored + what_else(value, {key, *SYSTEMS, *(TOOLS if tools else ())}, messages)
    if (
        [message["role"] for message in messages[-1:]] != ["assistant"]
        or len(messages) < 2
        or not _is_asked(messages[-2])
    ):
        raise UnusableError("the last message must be the assistant's, after a user's")
    conversation.trained = [False] * (len(messages) - len(conversation.messages)) + conversation.trained
    conversation.messages = messages
    kind = "conversations with tools" if tools else "conversations"
    return _trained(conversation, key, all_turns=all_turns, kind=kind, ignored=ignored, tools=tools)


def _is_asked(message: Message) -> bool:
    """Whether an answer may follow: to a user, or to what a tool said."""
    return message["role"] in ("user", "tool")


def _trained(
    conversation: Conversation, key: str, *, all_turns: bool, kind: str, ignored: Counter[str], tools: list[Row]
) -> Reading:
    """A row for each answer that is to be trained, with what stands before it."""
    messages = conversation.messages
    answers = [index for index, message in enumerate(messages) if message["role"] == "assistant"]
    chosen = [index for index in answers if conversation.trained[index]]
    if not chosen:
        raise UnusableError(f"no answer of {key!r} is to be trained: all have a weight of 0")
    asked = [index for index in chosen if index and _is_asked(messages[index - 1])]
    if chosen[-1] not in asked:
        raise UnusableError("the answer that is to be trained must stand after a user's message")
    used = asked if all_turns else asked[-1:]
    beside = {"tools": tools} if tools else {}
    return Reading(
        rows=tuple({"prompt": messages[:index], "completion": messages[index : index + 1], **beside} for index in used),
        kind=kind,
        ignored=ignored,
        untrained_answers=len(answers) - len(used),
    )


def _of_pair(value: Row, question: str, answer: str, *, all_turns: bool) -> Reading:
    asked, told = messages_in(value[question]), messages_in(value[answer])
    if asked or told:
        return _of_messages(value, question, answer, all_turns=all_turns)
    tools = tools_of(value)
    # The message is made first: what is wrong with the answer is said before what is beside it.
    last = {"role": "assistant", "content": answer_text(value, answer)}
    messages = [*before_question(value), {"role": "user", "content": question_text(value, question)}, last]
    return _trained(
        Conversation(messages=messages, trained=[message["role"] == "assistant" for message in messages]),
        answer,
        all_turns=all_turns,
        kind="questions with answers",
        ignored=what_else(value, {question, answer, *CONTEXTS, *SYSTEMS, HISTORY, *(TOOLS if tools else ())}, messages),
        tools=tools,
    )


def _of_messages(value: Row, question: str, answer: str, *, all_turns: bool) -> Reading:
    """TRL's own form: question and answer as messages."""
    asked, told = messages_in(value[question]), messages_in(value[answer])
    told = told or [{"role": "assistant", "content": answer_text(value, answer)}]
    asked = asked or [{"role": "user", "content": question_text(value, question)}]
    used = {question, answer} if messages_in(value[question]) else {question, answer, *CONTEXTS}
    rest = {key: item for key, item in value.items() if key not in used}
    return _of_conversation({**rest, "messages": [*asked, *told]}, "messages", all_turns=all_turns)


def unusable(messages: list[Row], reserved: Collection[str], tools: list[Row] | None = None) -> str | None:
    """What keeps texts from being tokenized as what they are."""
    texts = [message[key] for message in messages for key in ("content", "reasoning_content") if key in message]
    structures = [
        *(message["tool_calls"] for message in messages if "tool_calls" in message),
        *([tools] if tools else []),
    ]
    for text in [*texts, *(json.dumps(item, ensure_ascii=False) for item in structures)]:
        try:
            text.encode()
        except UnicodeEncodeError as error:
            return f"character {error.start} of a text is half of a pair (\\u{ord(text[error.start]):04x})"
        if found := next((token for token in reserved if token in text), None):
            return f"a text holds {found!r}, which the model takes for a mark of its own"
    return None
