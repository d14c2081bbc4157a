"""The parts of a row, found by their names and brought into one form; and what else a row says, never passed over."""

import json
import math
from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any

from tunestack_training.messages import Message, UnusableError, conversation_of, shown, system_message
from tunestack_training.row_keys import (
    ANSWERS,
    CONTEXTS,
    CONVERSATIONS,
    HISTORY,
    PARTS,
    QUESTIONS,
    SYSTEMS,
    TEXT,
    is_there,
    meaning_of,
    plain_key,
)  # fmt: skip

Row = dict[str, Any]


def named_as_known(value: Row) -> Row:
    """A row whose parts have the names that they are known by: hubs have `Question`, and CSV headers blanks.

    Raises:
        UnusableError: two of its keys are one then.
    """
    named = {key: name if (name := plain_key(key)) in PARTS and name not in value else key for key in value}
    if len({*named.values()}) < len(named):
        twice = next(name for name, count in Counter(named.values()).items() if count > 1)
        raise UnusableError(f"two keys are {twice!r}, but for capitals and blanks: leave one out")
    return {named[key]: item for key, item in value.items()}


def only_one(value: Row, names: Collection[str], what: str) -> str | None:
    """The key of a part that may have many names; one that is empty counts where there is no other.

    Raises:
        UnusableError: two of them say something.
    """
    found = [key for key in names if is_there(value.get(key))]
    if any(value[key] != value[found[0]] for key in found[1:]):
        raise UnusableError(f"{' and '.join(map(repr, found))} may both be its {what}: leave one out")
    return next(iter(found or [key for key in names if key in value]), None)


def conversation_in(value: Row) -> str | None:
    """The key of a row's conversation; an empty one counts where there is nothing else.

    Raises:
        UnusableError: there are two.
    """
    found = only_one(value, CONVERSATIONS, "conversation")
    return found if found and (is_there(value[found]) or not value.keys() & {*QUESTIONS, "input"}) else None


def question_in(value: Row) -> str | None:
    """The key of a row's question.

    Raises:
        UnusableError: there are two.
    """
    return only_one(value, QUESTIONS, "question") or ("input" if "input" in value else None)


def system_of(value: Mapping[str, Any]) -> list[Message]:
    """The system's message that stands beside a conversation or a question, or none.

    Raises:
        UnusableError: there are two, or it is no text.
    """
    found = only_one(dict(value), SYSTEMS, "system's message")
    return system_message(value[found], found) if found and is_there(value[found]) else []


def history_of(value: Row) -> list[Message]:
    """The turns before a question: pairs of question and answer, as Alpaca has them, or messages.

    Raises:
        UnusableError: it is something else.
    """
    turns = _as_json(value.get(HISTORY))
    if not is_there(turns):
        return []
    if isinstance(turns, list) and all(isinstance(turn, dict) for turn in turns):
        return conversation_of(turns, HISTORY).messages
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
    names = [name for name in (key, *(name for name in CONTEXTS if name != key)) if is_there(value.get(name))]
    for name in names:
        if not isinstance(value[name], str):
            raise UnusableError(f"{name!r} must be text, got {type(value[name]).__name__}")
    if not names:
        raise UnusableError(f"{key!r} is empty")
    return "\n\n".join(value[name] for name in names)


def answer_text(value: Mapping[str, Any], key: str) -> str:
    """The text of an answer; of anything else its JSON: that is what is asked for then.

    Raises:
        UnusableError: it is empty, or JSON has no form for it, or it may be several answers.
    """
    given = value[key]
    if given is None or (isinstance(given, str) and given.strip().lower() in ("", "nan", "<na>", "nat")):
        raise UnusableError(f"{key!r} is empty")
    if isinstance(given, str):
        return given
    if isinstance(given, list) and given and all(map(_may_be_an_answer, given)):
        raise UnusableError(
            f"{key!r} is a list of texts: give the one that is to be trained, or the list as text if it is the answer"
        )
    try:
        return json.dumps(given, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError):
        if isinstance(given, float) and math.isnan(given):
            raise UnusableError(f"{key!r} is empty") from None
        raise UnusableError(f"{key!r} must be text or JSON, got a {_no_json(given)}") from None


def _no_json(value: Any) -> str:
    """The kind of the first thing in a value that JSON has no form for."""
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        if found := _no_json(part):
            return found
    if isinstance(value, float):
        return "" if math.isfinite(value) else "number that is none"
    return "" if isinstance(value, dict | list | str | int | None) else type(value).__name__


def _may_be_an_answer(item: Any) -> bool:
    """Whether an item of a list is a text, or one person's answer, as tools for labelling have it."""
    return isinstance(item, str) or (
        isinstance(item, dict) and "value" in item and bool({"status", "user_id"} & {*item})
    )


def messages_in(value: Any) -> list[Row] | None:
    """Messages where a text may stand: as a list, as one of them, or as text in JSON."""
    given = _as_json(value)
    if isinstance(given, dict):
        given = [given]
    if isinstance(given, list) and given and all(isinstance(item, dict) and "role" in item for item in given):
        return given
    return None


def _as_json(value: Any) -> Any:
    """What a text in a table's field holds, if it is JSON of several."""
    if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value


def what_else(value: Row, used: Collection[str], messages: list[Message], *, asked: bool = False) -> Counter[str]:
    """The keys of a row that nothing is done with. What stands in its messages already may stand beside them, too.

    Raises:
        UnusableError: one of them changes what the row means; `asked`: what is asked by it.
    """
    ignored: Counter[str] = Counter()
    for key in value.keys() - {*used}:
        given, meaning = value[key], None if key in PARTS else meaning_of(key, value[key])
        if not is_there(given) or ((key in PARTS or (meaning and meaning.asked)) and _is_said(given, messages)):
            continue
        if key in PARTS:
            _refuse_part(key, given, messages, asked=asked)
        if meaning and (meaning.asked or not asked):
            raise UnusableError(f"with {shown(key)} {meaning.reason}")
        ignored[key] += 1
    return ignored


def _refuse_part(key: str, given: Any, messages: list[Message], *, asked: bool) -> None:
    """
    Raises:
        UnusableError: what is a part of other rows stands beside what this one is made of.
    """
    if key in ANSWERS:
        return
    if key == TEXT and isinstance(given, str) and messages and messages[-1]["content"].strip() in given:
        # The whole row as it was once rendered, as Alpaca has it.
        return
    raise UnusableError(
        f"{key!r} stands beside its {'question' if asked else 'messages'}, and says something else: leave one out"
    )


def _is_said(given: Any, messages: list[Message]) -> bool:
    return isinstance(given, str) and any(given.strip() in message["content"] for message in messages)
