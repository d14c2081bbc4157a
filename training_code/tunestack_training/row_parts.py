"""The parts of a row, found by their names and brought into one form; and what else a row says, never passed over."""

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from tunestack_training.failure import UnusableError
from tunestack_training.messages import Message, conversation_of, is_message, shown, system_message
from tunestack_training.row_keys import (
    ANSWERS,
    CONTEXTS,
    CONVERSATIONS,
    HISTORY,
    OTHER_ANSWERS,
    OTHER_QUESTIONS,
    PARTS,
    QUESTIONS,
    SYSTEMS,
    TEXT,
    is_given,
    is_there,
    meaning_of,
    plain_key,
)  # fmt: skip
from tunestack_training.tool_calls import TOOLS

Row = dict[str, Any]
# A word is in many texts by chance; so many letters aren't.
_FEW_SIGNS = 20
_MOST_LEVELS = 20
# Before JSON in a field.
_MOST_BLANKS = 100


def named_as_known(value: Row) -> Row:
    """A row whose parts have the names that they are known by: hubs have `Question`, and CSV headers blanks.

    Raises:
        UnusableError: two of its keys are one then, and say different things.
    """
    made: Row = {}
    for key, item in value.items():
        name = key if key in PARTS or plain_key(key) not in PARTS else plain_key(key)
        if name in made and is_given(made[name]):
            if is_given(item) and made[name] != item:
                raise UnusableError(f"two keys are {name!r}, but for capitals and blanks: leave one out")
            continue
        made[name] = item
    return made


def only_one(
    value: Mapping[str, Any], names: Collection[str], what: str, given: Callable[[Any], bool] = is_there
) -> str | None:
    """The key of a part that may have many names; one that is empty counts where there is no other.

    Raises:
        UnusableError: two of them say something.
    """
    there = [key for key in names if key in value]
    if len(there) < 2:
        return there[0] if there else None
    found = [key for key in there if given(value[key])]
    if any(value[key] != value[found[0]] for key in found[1:]):
        raise UnusableError(f"{' and '.join(map(repr, found))} may both be its {what}: leave one out")
    return (found or there)[0]


def conversation_in(value: Row) -> str | None:
    """The key of a row's conversation; an empty one counts where there is nothing else.

    Raises:
        UnusableError: there are two.
    """
    there = [key for key in CONVERSATIONS if key in value]
    if not there:
        return None
    names = [key for key in there if not _is_a_name(value[key]) or not _has_question(value)]
    found = only_one(value, names, "conversation")
    return found if found and (is_there(value[found]) or not _has_question(value)) else None


def _has_question(value: Row) -> bool:
    return bool(value.keys() & {*QUESTIONS, *OTHER_QUESTIONS})


def _is_a_name(value: Any) -> bool:
    """Whether what may be a conversation is its name or number."""
    return isinstance(value, int | float) or (isinstance(value, str) and not value.lstrip().startswith(("[", "{")))


def question_in(value: Row) -> str | None:
    """The key of a row's question.

    Raises:
        UnusableError: there are two.
    """
    return _first_given(value, (QUESTIONS, OTHER_QUESTIONS), "question")


def answer_in_row(value: Row) -> str | None:
    """The key of a row's answer.

    Raises:
        UnusableError: there are two.
    """
    return _first_given(value, (ANSWERS, OTHER_ANSWERS), "answer")


def _first_given(value: Row, names: tuple[tuple[str, ...], ...], what: str) -> str | None:
    empty = None
    for some in names:
        key = only_one(value, some, what, is_given)
        if key is not None and is_given(value[key]):
            return key
        empty = empty or key
    return empty


def system_of(value: Mapping[str, Any]) -> list[Message]:
    """The system's message that stands beside a conversation or a question, or none.

    Raises:
        UnusableError: there are two, or it is no text.
    """
    found = only_one(value, SYSTEMS, "system's message")
    return system_message(value[found], found) if found and is_there(value[found]) else []


def history_of(value: Row) -> list[Message]:
    """The turns before a question: pairs of question and answer, as Alpaca has them, or messages.

    Raises:
        UnusableError: it is something else.
    """
    turns = _as_json(value.get(HISTORY))
    if turns is None or not is_there(turns):
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


def before_question(value: Row) -> list[Message]:
    """What stands before a row's question: the system's message, and the turns of its history.

    Raises:
        UnusableError: it has two system's messages.
    """
    return with_system(system_of(value), history_of(value))


def with_system(system: list[Message], messages: list[Message]) -> list[Message]:
    """Messages with the system's before them that stands beside them; the same one twice is one.

    Raises:
        UnusableError: there are two.
    """
    if system and messages and messages[0]["role"] == "system":
        if system[0]["content"].strip() != messages[0]["content"].strip():
            raise UnusableError("it has two system messages: one beside its conversation, one in it")
        return messages
    return system + messages


def question_text(value: Mapping[str, Any], key: str) -> str:
    """The text of a question, with what belongs to it behind it, unless it stands there already.

    Raises:
        UnusableError: one of them is no text, or all are empty.
    """
    names = [name for name in (key, *(name for name in CONTEXTS if name != key)) if _belongs(value.get(name))]
    for name in names:
        if not isinstance(value[name], str):
            raise UnusableError(f"{name!r} must be text, got {type(value[name]).__name__}")
    if not names:
        raise UnusableError(f"{key!r} is empty")
    texts = [value[name] for name in names]
    return "\n\n".join([texts[0], *(text for text in texts[1:] if text.strip() not in texts[0])])


def _belongs(value: Any) -> bool:
    """Whether a part of a question says something; `{}` and `[]` may be what it is about."""
    return is_there(value) or (isinstance(value, str) and value.strip() in ("{}", "[]"))


def messages_in(value: Any) -> list[Row] | None:
    """Messages where a text may stand: as a list, as one of them, or as text in JSON."""
    given = _as_json(value)
    if isinstance(given, dict):
        given = [given]
    if isinstance(given, list) and given and all(map(is_message, given)):
        return given
    return None


def _as_json(value: Any) -> Any:
    """What a text in a table's field holds, if it is JSON of several."""
    if isinstance(value, str) and value[:_MOST_BLANKS].lstrip()[:1] in ("[", "{"):
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
    for key, given in value.items():
        if key in used or not is_there(given):
            continue
        meaning = None if key in PARTS else meaning_of(key, given)
        if (key in PARTS or (meaning and meaning.may_be_said)) and _is_said(given, messages):
            continue
        if key in PARTS:
            _refuse_part(key, given, messages, asked=asked)
        if meaning and (meaning.asked or not asked):
            is_conversation = meaning.asked and messages_in(given)
            reason = "a row has a conversation: name it 'messages'" if is_conversation else meaning.reason
            raise UnusableError(f"with {shown(key)} {reason}")
        ignored[key] += 1
    return ignored


def _refuse_part(key: str, given: Any, messages: list[Message], *, asked: bool) -> None:
    """
    Raises:
        UnusableError: what is a part of other rows stands beside what this one is made of.
    """
    if key in ANSWERS or (key in CONVERSATIONS and _is_a_name(given)) or (key in TOOLS and isinstance(given, str)):
        return
    if key == TEXT and isinstance(given, str) and messages and messages[-1]["content"].strip() in given:
        # The whole row as it was once rendered, as Alpaca has it.
        return
    raise UnusableError(
        f"{key!r} stands beside its {'question' if asked else 'messages'}, and says something else: leave one out"
    )


def _is_said(given: Any, messages: list[Message]) -> bool:
    """Whether all texts of a value stand in messages; one word alone, only if it is all that is answered."""
    texts = [*_texts_in(given)]
    if isinstance(given, str) and len(texts) == 1 and len(given.split()) == 1 and len(given) < _FEW_SIGNS:
        return bool(messages) and texts[0].lower() == messages[-1]["content"].strip().lower()
    return bool(texts) and all(any(text in message["content"] for message in messages) for text in texts)


def _texts_in(value: Any, depth: int = 0) -> Iterator[str]:
    if isinstance(value, dict | list) and depth < _MOST_LEVELS:
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            if key not in ("role", "from"):
                yield from _texts_in(item, depth + 1)
    elif is_there(value):
        yield str(value).strip()
