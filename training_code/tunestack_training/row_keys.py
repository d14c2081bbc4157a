"""What the keys of a row or a message mean: its parts, by the names that people have for them, and what makes another.

A key that is no part of a row is looked at by name and by value (`meaning_of`): one that changes what the row means is
never passed over.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

CONVERSATIONS = ("messages", "conversations", "conversation", "chat")
QUESTIONS = ("instruction", "prompt", "question", "query", "problem", "inputs")
ANSWERS = ("response", "output", "completion", "answer", "solution", "targets")
# What belongs to a question, behind it; and what stands before it.
CONTEXTS = ("input", "context")
SYSTEMS = ("system", "system_prompt", "system_message", "system_instruction", "meta_instruction")
HISTORY = "history"
TEXT = "text"
# Every key that is a part of a row.
PARTS = {*CONVERSATIONS, *QUESTIONS, *ANSWERS, *CONTEXTS, *SYSTEMS, HISTORY, TEXT}

NO = ("0", "0.0", "false", "no", "off")
YES = ("1", "1.0", "true", "yes", "on")
# Below this many levels there is something.
_DEEP = 20
# What tables and their writers put where nothing is.
_NOTHING = {
    "", "nan", "nat", "<na>", "none", "null", "n/a", "[]", "{}", "[none]", "[null]", "<noinput>", "noinput", "no input",
}  # fmt: skip
_AGAINST = {
    *NO, "-1", "-1.0", "bad", "wrong", "incorrect", "invalid", "negative", "dislike", "disliked", "down", "thumbs_down",
    "thumbsdown", "discarded", "rejected", "deleted", "declined", "draft", "undesirable",
}  # fmt: skip
# Of unpaired preferences, as text, too.
_VERDICTS = {*NO, *YES, "-1", "-1.0", "good", "bad", "desirable", "undesirable"}


@lru_cache(maxsize=4096)
def plain_key(key: Any) -> str:
    """A key as it is known here: `System Prompt`, `system-prompt` and `systemPrompt` are `system_prompt`."""
    if not isinstance(key, str):
        return ""
    return re.sub(r"[\s\-.]+", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z][a-z])", "_", key.strip())).lower()


def is_there(value: Any, depth: int = 0) -> bool:
    """Whether a value says anything: tables have a field for every key, most of them empty, NaN or full of nulls."""
    if isinstance(value, dict | list) and depth < _DEEP:
        return any(is_there(item, depth + 1) for item in (value.values() if isinstance(value, dict) else value))
    if isinstance(value, float):
        return math.isfinite(value)
    return value is not None and not (isinstance(value, str) and value.strip().lower() in _NOTHING)


def _is_more_than_a_word(value: Any) -> bool:
    """Whether a value is content: a name or a kind has no blanks in it."""
    return is_there(value) and (len(value.split()) > 1 if isinstance(value, str) else isinstance(value, dict | list))


def _says(*words: str) -> Callable[[Any], bool]:
    return lambda value: is_there(value) and str(value).strip().lower().replace(" ", "_") in words


def _isnt_one(value: Any) -> bool:
    """Whether a value is another number, or list of them, than 1 or true."""
    if isinstance(value, str):
        return bool(re.fullmatch(r"[-+\d.eE]+|no|off|false|\[.*", value.strip().lower())) and not _says(*YES)(value)
    return is_there(value) and not isinstance(value, dict) and not _says(*YES)(value)


@dataclass(frozen=True, kw_only=True)
class Meaning:
    """What a key by one of these names makes of its row, if its value is so."""

    names: str
    reason: str
    so: Callable[[Any], bool] = is_there
    asked: bool = False
    """It changes what is asked, not only what is answered."""


_JUDGED = "a row is judged as good or bad: for KTO; to train on the good ones, keep those, without the key"
_MORE_TO_ASK = "a row has more to its question than is used: name it 'context', as text"
_NOT_TRAINED = "a row says how much it is trained: rows are trained alike; leave out what must not be, and the key"
_TEXT_ALONE = "this kit trains on text alone"
MEANINGS = (
    Meaning(
        names=r"(.*_)?(chosen|rejected|winner|loser|preference)(_.*)?",
        reason="a row is a preference pair: for DPO or a reward model; to train on its good answer alone, name it "
        "'response'",
        so=lambda value: is_there(value) and not isinstance(value, bool),
    ),
    Meaning(names=r"label|kto_tag", reason=_JUDGED, so=_says(*_VERDICTS)),
    Meaning(
        names=r"((is|was)_)?(correct|good|valid|accepted|approved|helpful|liked|keep|kept|use|used|include|included)"
        r"|(.*_)?(status|verdict|quality|feedback|vote|thumbs?(_up)?)",
        reason="a row is marked as not good: leave out what must not be trained, and the key",
        so=_says(*_AGAINST),
    ),
    Meaning(
        names=r"((is|was|to_be)_)?(bad|wrong|incorrect|invalid|discard(ed)?|delete(d)?|skip(ped)?|exclude(d)?|ignore(d)?"
        r"|hallucinat(ed|ion)|reject(ed)?)",
        reason="a row is marked as not good: leave out what must not be trained, and the key",
        so=_says(*YES),
    ),
    Meaning(
        names=r"((sample|loss|row|example)_)?weights?|loss(_(scale|mask|weight))?|(do_|is_)?train(ing|able|ed|_on|_mask)?",
        reason=_NOT_TRAINED,
        so=_isnt_one,
    ),
    # Of some it says what is trained, of others what isn't.
    Meaning(names=r"mask(ed)?", reason=_NOT_TRAINED),
    Meaning(
        names=r"reward_model|ground_truth|rewards?",
        reason="a row is for reinforcement learning with a reward: this recipe trains on answers",
    ),
    Meaning(
        names=r"(.*_)?(reasoning|thinking|thoughts?|rationales?|chain_of_thoughts?|scratchpad|cot)(_.*)?",
        reason="a row has reasoning beside its answer: put it into the answer as the model is to write it, or leave it "
        "out",
        so=_is_more_than_a_word,
    ),
    Meaning(
        names=r"channel",
        reason="a row has channels, as harmony's: keep the final answer alone",
        so=_says("analysis", "commentary"),
    ),
    Meaning(
        names=r"images?(_(urls?|paths?|files?|bytes|base64))?|pictures?|photos?|pixel_values",
        reason=f"a row comes with pictures: {_TEXT_ALONE}",
        asked=True,
    ),
    Meaning(names=r"videos?", reason=f"a row comes with videos: {_TEXT_ALONE}", asked=True),
    Meaning(names=r"audios?|speech|sound", reason=f"a row comes with sound: {_TEXT_ALONE}", asked=True),
    Meaning(
        names=r"(.*_)?(tools?|functions|tool_calls?|function_calls?)(_(definitions?|schemas?))?",
        reason="a row comes with tools: calls of tools are not trained",
        so=_is_more_than_a_word,
        asked=True,
    ),
    Meaning(
        names=r"contexts|(.*_)?(documents?|docs|passages?|paragraphs?|evidences?|knowledge|background|choices|options"
        r"|candidates|schemas?|ddl|tables?|articles?|story|definition|suffix|premise|hypothesis|facts|shots|demonstrations"
        r"|examples|attachments|snippets|transcript|dialogue)",
        reason=_MORE_TO_ASK,
        so=_is_more_than_a_word,
        asked=True,
    ),
    Meaning(
        names=r"(choice|option|distractor|context|passage|document|sentence|ending)_?([0-9]+|[a-e])|[a-e]",
        reason=_MORE_TO_ASK,
        asked=True,
    ),
)
_COMPILED = tuple((re.compile(meaning.names), meaning) for meaning in MEANINGS)


def meaning_of(key: Any, value: Any) -> Meaning | None:
    """What a key that is no part of a row makes of it, or None where it says nothing that is known."""
    return next((meaning for meaning in _named(plain_key(key)) if meaning.so(value)), None)


@lru_cache(maxsize=4096)
def _named(name: str) -> tuple[Meaning, ...]:
    return tuple(meaning for names, meaning in _COMPILED if names.fullmatch(name))
