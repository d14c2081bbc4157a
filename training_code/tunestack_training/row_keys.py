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

CONVERSATIONS = ("messages", "conversations", "conversation", "chat", "contents")
QUESTIONS = ("instruction", "prompt", "question", "query", "problem", "inputs")
ANSWERS = ("response", "output", "completion", "answer", "solution", "targets")
# Those that count where none of the others is there: beside them they are something else.
OTHER_QUESTIONS = ("input", "input_text", "user_prompt", "user_input")
OTHER_ANSWERS = ("target", "output_text", "expected_output", "outputs", "summary", "highlights")
# What belongs to a question, behind it; and what stands before it.
CONTEXTS = ("input", "context")
SYSTEMS = (
    "system", "system_prompt", "system_message", "system_instruction", "meta_instruction", "instructions", "preamble",
)  # fmt: skip
HISTORY = "history"
TEXT = "text"
# Every key that is a part of a row.
PARTS = {*CONVERSATIONS, *QUESTIONS, *ANSWERS, *CONTEXTS, *SYSTEMS, HISTORY, TEXT, "tools", "functions"}

NO = ("0", "0.0", "false", "no", "off", "n", "f")
YES = ("1", "1.0", "true", "yes", "on", "y", "t")
# What tables and their writers put where nothing is; in an answer it is never one.
_EMPTY = {"", "nan", "nat", "<na>", "#n/a", "#name?", "#ref!", "#value!", "#div/0!", "#null!", "#num!", "\\n"}
_NOTHING = {*_EMPTY, "none", "null", "n/a", "[]", "{}", "[none]", "[null]", "<noinput>", "noinput", "no input"}
_LONGER_THAN_NOTHING = 40
# Below this many levels there is something.
_DEEP = 20
_AGAINST = {
    *NO, "bad", "wrong", "incorrect", "incomplete", "invalid", "dislike", "disliked", "down", "thumbs_down",
    "thumbsdown", "👎", "discarded", "rejected", "deleted", "removed", "declined", "failed", "error", "undesirable",
    "poor", "very_poor",
}  # fmt: skip
# Of unpaired preferences, as text, too.
_VERDICTS = {*NO, *YES, "-1", "-1.0", "good", "bad", "desirable", "undesirable"}
# A sentence, or code: what no name of a file, of a kind or of a place is.
_SENTENCE = re.compile(r"\S\s+\S+[.?!…](?:\s|$)|[。！？\n]|[(\[{]\S|[;:]\s|\s[+*/=<>]{1,2}\s")
_SIGNS_OF_A_TEXT = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")
_WORDS_OF_A_TEXT = 6


# topP, maxTokens, recordId; but CoT is a word.
_CAMEL = re.compile(r"(?<=[a-z]{3})(?=[A-Z])|(?<=[a-z0-9])(?=[A-Z][a-z])")


@lru_cache(maxsize=4096)
def plain_key(key: Any) -> str:
    """A key as it is known here: `System Prompt`, `system-prompt` and `systemPrompt` are `system_prompt`."""
    if not isinstance(key, str):
        return ""
    return re.sub(r"[\s\-.]+", "_", _CAMEL.sub("_", key.strip())).lower()


def is_there(value: Any, depth: int = 0) -> bool:
    """Whether a value says anything: tables have a field for every key, most of them empty, NaN or full of nulls."""
    if isinstance(value, str):
        return (len(value) > _LONGER_THAN_NOTHING and not value.isspace()) or value.strip().lower() not in _NOTHING
    if isinstance(value, dict | list) and depth < _DEEP:
        return any(is_there(item, depth + 1) for item in (value.values() if isinstance(value, dict) else value))
    return value is not None and (not isinstance(value, float) or math.isfinite(value))


def is_given(value: Any) -> bool:
    """Whether a question or an answer is given: there `None` and `[]` are texts like others."""
    if isinstance(value, float):
        return not math.isnan(value)
    return value is not None and not (isinstance(value, str) and value.strip().lower() in _EMPTY)


def is_content(value: Any, depth: int = 0) -> bool:
    """Whether a value is what a row is about, and no name, kind or number: a sentence, code, or a structure of them."""
    if isinstance(value, str):
        words = len(value.split())
        signs = 3 * len(_SIGNS_OF_A_TEXT.findall(value))
        return (
            words >= _WORDS_OF_A_TEXT
            or signs >= 3 * _WORDS_OF_A_TEXT
            or (is_there(value) and bool(_SENTENCE.search(value)))
        )
    if isinstance(value, dict):
        # Of dicts in a dict: a schema, a call.
        return any(isinstance(item, dict) and item for item in value.values()) or is_content([*value.values()], depth)
    return (
        isinstance(value, list)
        and depth < _DEEP
        and any((isinstance(item, dict) and is_there(item)) or is_content(item, depth + 1) for item in value)
    )


def _says(*words: str) -> Callable[[Any], bool]:
    return lambda value: is_there(value) and str(value).strip().lower().replace(" ", "_") in words


def _is_against(value: Any) -> bool:
    """Whether a mark says that a row is bad; all of several, where each is of an answer."""
    if isinstance(value, list):
        return bool(value) and all(map(_is_against, value))
    return _says(*_AGAINST)(value)


def _is_no_count(value: Any) -> bool:
    return not isinstance(value, int | float) or isinstance(value, bool)


def _isnt_one(value: Any) -> bool:
    """Whether a value is another number, or list of them, than 1 or true."""
    if isinstance(value, str):
        return bool(re.fullmatch(r"[-+]?[\d.,]+(?:e[-+]?\d+)?|no|off|false|\[.*", value.strip().lower())) and not _says(
            *YES
        )(value)
    return is_there(value) and not isinstance(value, dict) and not _says(*YES)(value)


def _is_several(value: Any) -> bool:
    return is_there(value) and (
        len(value) > 1 if isinstance(value, list | dict) else len(re.split(r"[,|;/\n]", str(value))) > 1
    )


@dataclass(frozen=True, kw_only=True)
class Meaning:
    """What a key by one of these names makes of its row, if its value is so."""

    names: str
    reason: str
    so: Callable[[Any], bool] = is_there
    asked: bool = False
    """It changes what is asked, not only what is answered."""
    may_be_said: bool = False
    """It changes nothing where the row's messages have it, too."""


_NOT_GOOD = "a row is marked as not good: leave out what must not be trained, and the key"
_JUDGED = "a row is judged as good or bad: for KTO; to train on the good ones, keep those, without the key"
_PREFERENCE = (
    "a row is a preference pair: for DPO or a reward model; to train on its good answer alone, name it 'response'"
)
_MORE_TO_ASK = "a row has more to its question than is used: name it 'context', as text"
_CHOICES = "a row has choices: write them into its question, and have the answer say what is chosen"
_NOT_TRAINED = "a row says how much it is trained: rows are trained alike; leave out what must not be, and the key"
_TEXT_ALONE = "this kit trains on text alone"
_MEDIA = r"(_(urls?|paths?|files?|bytes|base64))?"
_WHOSE = r"(responses?|answers?|solutions?|outputs?|completions?)"
MEANINGS = (
    Meaning(
        names=rf"(chosen|rejected)(_({_WHOSE}|texts?|messages?|conversations?))?|{_WHOSE}_(chosen|rejected)|winner|loser"
        rf"|(non_)?preferred_{_WHOSE}|better_response_id|messages_(chosen|rejected)",
        reason=_PREFERENCE,
        so=lambda value: is_there(value) and isinstance(value, str | list | dict) and not _says(*NO, *YES)(value),
    ),
    Meaning(names=r"label|kto_tag", reason=_JUDGED, so=_says(*_VERDICTS), may_be_said=True),
    Meaning(
        names=rf"(((is|was|has)_)?({_WHOSE}_|problem_|question_)?((is|was)_)?(correct|good|valid|accepted|approved|approval"
        r"|passed|success(ful)?|verified|chosen|preferred|desirable|selected|safe)|keep|include)"
        r"|correctness(_.*)?|((is|was)_)(helpful|liked|kept|used|included)",
        reason=_NOT_GOOD,
        so=_is_against,
        may_be_said=True,
    ),
    Meaning(
        names=r"((review|annotation|row|record|label)_)?(status|state|decision|verdict)|review|quality|(response_)?quality"
        r"|feedback|rating|vote|thumbs?(_up)?|helpful|liked|kept|used|included",
        reason=_NOT_GOOD,
        so=lambda value: _is_no_count(value) and _is_against(value),
        may_be_said=True,
    ),
    Meaning(
        names=r"((is|was|to_be|has)_)?(bad|wrong|incorrect|invalid|discard(ed)?|delete(d)?|remove(d)?|drop(ped)?|skip(ped)?"
        r"|exclude(d)?|ignore(d)?|hallucinat(ed|ion)|reject(ed)?|toxic|flagged|truncated|errors?)|do_not_train|no_train"
        r"|exclude_from_training",
        reason=_NOT_GOOD,
        so=_says(*YES),
        may_be_said=True,
    ),
    Meaning(
        names=r"finish_reason|stop_reason",
        reason="a row's answer was cut off: leave it out",
        so=_says("length", "max_tokens"),
    ),
    Meaning(
        names=r"((sample|sampling|instance|loss|row|example)_)?weights?|loss_(scale|mask|weight)|(do_)?train(ing|able|ed|_on|_mask)?",
        reason=_NOT_TRAINED,
        so=_isnt_one,
    ),
    Meaning(names=r"loss", reason=_NOT_TRAINED, so=_says(*NO)),
    # Of some it says what is trained, of others what isn't.
    Meaning(names=r"mask|train_detail", reason=_NOT_TRAINED),
    Meaning(
        names=r"reward_model",
        reason="a row is for reinforcement learning with a reward: this recipe trains on answers",
        so=lambda value: is_there(value) and isinstance(value, dict),
    ),
    Meaning(
        names=r"(.*_)?(reasoning|thinking|think|thoughts?|rationales?|chain_of_thoughts?|scratchpad|cot)(_.*)?",
        reason="a row has reasoning beside its answer: put it into the answer as the model is to write it, or leave it "
        "out",
        so=is_content,
        may_be_said=True,
    ),
    Meaning(
        names=r"channel",
        reason="a row has channels, as harmony's: keep the final answer alone",
        so=_says("analysis", "commentary"),
    ),
    Meaning(
        names=rf"(imgs?|images?|pictures?|photos?|screenshots?|videos?|audios?){_MEDIA}|pixel_values",
        reason=f"a row comes with pictures or sound: {_TEXT_ALONE}",
        so=lambda value: _is_no_count(value) and is_there(value) and not _says(*NO)(value),
        asked=True,
    ),
    Meaning(
        names=r"(.*_)?(tools|functions|tool_calls?|function_calls?)(_(definitions?|schemas?))?",
        reason="a row comes with tools: name them 'tools', and have its calls in its messages",
        so=is_content,
        asked=True,
    ),
    Meaning(
        names=r"(chat|conversation|dialogu?e)_history|previous_(messages|turns)|past_user_inputs|history_.*",
        reason="a row has turns before its question: name them 'history'",
        so=is_there,
        asked=True,
        may_be_said=True,
    ),
    Meaning(
        names=r"developer|custom_instructions",
        reason="a row has more before its question: name it 'system'",
        so=is_content,
        asked=True,
        may_be_said=True,
    ),
    Meaning(
        names=r"choices|options|candidates|distractors|endings|answer_options",
        reason=_CHOICES,
        so=_is_several,
        asked=True,
        may_be_said=True,
    ),
    Meaning(
        names=r"(choice|option|opt|op|ans|answer|distractor|ending|sentence)_?([0-9]|[a-e])|[a-e]",
        reason=_CHOICES,
        so=lambda value: is_there(value) and isinstance(value, str),
        asked=True,
        may_be_said=True,
    ),
    Meaning(
        names=rf"({_WHOSE}|alternatives)(_[0-9jk])?|(wrong|bad|worse|other|second)_{_WHOSE}",
        reason="a row has several answers: keep the one that is to be trained, as 'response'",
        may_be_said=True,
    ),
    Meaning(
        names=r"(.*_)?(contexts?|documents?|docs|passages?|paragraphs?|evidences?|knowledge|background|chunks|ctxs"
        r"|search_results|sources|schemas?|ddl|tables?|articles?|story|definition|suffix|premise|hypothesis|facts|shots"
        r"|demonstrations|examples|attachments|snippets|transcript|dialogue|abstract|hints?|constraints)(_?[0-9a-e])?"
        r"|code|sentences?|content|body|email|(context|reference)_text",
        reason=_MORE_TO_ASK,
        so=is_content,
        asked=True,
        may_be_said=True,
    ),
)
_COMPILED = tuple((re.compile(meaning.names), meaning) for meaning in MEANINGS)


def meaning_of(key: Any, value: Any) -> Meaning | None:
    """What a key that is no part of a row makes of it, or None where it says nothing that is known."""
    return next((meaning for meaning in _named(plain_key(key)) if meaning.so(value)), None)


@lru_cache(maxsize=4096)
def _named(name: str) -> tuple[Meaning, ...]:
    return tuple(meaning for names, meaning in _COMPILED if names.fullmatch(name))
