"""Whether an answer is right, compared as what the wanted one is: JSON by its fields, numbers by value, words."""

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from decimal import Decimal, DecimalException
from typing import Any

from tunestack_training.answer_numbers import is_number, last_number
from tunestack_training.answer_words import WITHOUT_SPACES, answer_in, holds, is_label, plain
from tunestack_training.generation import Answer
from tunestack_training.json_lists import without_twins

AUTO = "auto"
# What stands in a fence around code or JSON.
_FENCED = re.compile(r"```[ \t]*([\w+.-]*)\s(.*?)(?:```|\Z)", re.DOTALL)
_CALL = re.compile(r"<tool_call>\s*(.*?)\s*(?:</tool_call>|\Z)", re.DOTALL)
_ARTICLES = ("a", "an", "the")
# Answers of so few words, of which each is wanted more than once, are labels.
_WORDS_OF_A_LABEL, _LETTERS_OF_A_LABEL = 5, 40


def comparison_for(wanted: Sequence[str], chosen: str) -> str:
    """How answers are compared: as chosen, or (`auto`) by what all the wanted ones are.

    All JSON objects or lists: `json`; all numbers: `number`; a few words that come again and again: `label`; else
    `contains`.
    """
    if chosen != AUTO or not wanted:
        return "contains" if chosen == AUTO else chosen
    wanted = [answer_in(text) for text in wanted]
    if all(isinstance(_json_in(text), dict | list) for text in wanted):
        return "json"
    if all(map(is_number, wanted)):
        return "number"
    return "label" if _are_labels(wanted) else "contains"


def _are_labels(wanted: Sequence[str]) -> bool:
    """Whether a few answers are all that is ever wanted: then one that names several of them is none of them."""
    labels = {plain(text) for text in wanted}
    return 2 * len(labels) <= len(wanted) and all(
        0 < len(text.split()) <= _WORDS_OF_A_LABEL and len(text) <= _LETTERS_OF_A_LABEL for text in labels
    )


def score(answer: Answer, wanted: str, comparison: str, pattern: str | None = None) -> float:
    """How much of an answer is right, 0 to 1: of JSON that of its fields, by `f1` that of words, else all or nothing.

    By `pattern` answers are alike where what it finds in them is: its first group, or all of it. What a model thought
    before it answered is no part of its answer. What ran into the limit of tokens is not right as a whole: nobody knows
    what it would have said.
    """
    if comparison in _BY_PARTS:
        return _BY_PARTS[comparison](answer.text, wanted)
    said, right = answer_in(answer.text), answer_in(wanted)
    if not (answer.ended and said and right):
        return 0.0
    return float(_by_pattern(said, right, pattern) if pattern else _WHOLE[comparison](said, right))


def _normal(text: str) -> str:
    """The same text, however its letters are made up, and without the blanks around it."""
    return unicodedata.normalize("NFC", text).strip()


def _exactly(text: str, wanted: str) -> bool:
    return _normal(text) == _normal(wanted)


def _as_number(text: str, wanted: str) -> bool:
    """The last number of an answer is what it comes to."""
    value = last_number(wanted)
    return value is not None and last_number(text) == value


def _by_pattern(text: str, wanted: str, pattern: str) -> bool:
    said, right = (re.search(pattern, part) for part in (text, wanted))
    if said is None or right is None:
        return False
    return _exactly(*(next((part for part in found.groups() if part is not None), found[0]) for found in (said, right)))


def _by_words(text: str, wanted: str) -> float:
    """F1 over words but articles, as SQuAD has it (Rajpurkar et al. 2016); over signs where nothing has a space."""
    said, right = _words(answer_in(text)), _words(answer_in(wanted))
    common = (Counter(said) & Counter(right)).total()
    return 2 * common / (len(said) + len(right)) if common else 0.0


def _words(text: str) -> list[str]:
    words = plain(text)
    if WITHOUT_SPACES.search(words):
        return list(words.replace(" ", ""))
    return [word for word in words.split() if word not in _ARTICLES]


def _as_json(text: str, wanted: str) -> float:
    """The share of fields, wanted or given, that are there with the same value."""
    said, right = _json_in(text), _json_in(wanted)
    if said is None or right is None:
        return 0.0
    try:
        given, asked = _fields(said), _fields(right)
    except RecursionError:
        return 0.0
    every = given.keys() | asked.keys()
    equal = [name for name in every if name in given and name in asked and given[name] == asked[name]]
    return len(equal) / len(every)


def _json_in(text: str) -> Any:
    """The JSON that a text is, or has in its last fence, or behind what was thought; None where it is none."""
    answer = answer_in(text)
    for part in (text, answer, *_in_fence(answer), *_in_calls(answer)):
        try:
            return json.loads(part, parse_float=Decimal, parse_int=Decimal, object_pairs_hook=without_twins)
        except (ValueError, RecursionError, DecimalException):
            continue
    return None


def _in_fence(text: str) -> list[str]:
    """What stands in the last fence of JSON, or in the last one; it may have lost its end, or its beginning."""
    fences = _FENCED.findall(text)
    of_json = [inside for language, inside in fences if language.lower().startswith("json")]
    return [*(of_json or [inside for _, inside in fences])[-1:], text.removesuffix("```")]


def _in_calls(text: str) -> list[str]:
    """The calls of tools in a text, as most templates write them: one by itself, several as a list."""
    calls = _CALL.findall(text)
    return [calls[0] if len(calls) == 1 else f"[{','.join(calls)}]"] if calls else []


def _fields(value: Any, name: tuple[Any, ...] = ()) -> dict[tuple[Any, ...], Any]:
    """The values of a structure by their places; an empty structure is a value."""
    if isinstance(value, dict | list) and value:
        items = [(_normal(key), item) for key, item in value.items()] if isinstance(value, dict) else enumerate(value)
        return {place: leaf for key, item in items for place, leaf in _fields(item, (*name, key)).items()}
    # With its type: true is no 1, and "1" neither.
    return {name: (type(value).__name__, _normal(value) if isinstance(value, str) else value)}


# Those that give a share, and those that an answer passes or doesn't.
_BY_PARTS: dict[str, Callable[[str, str], float]] = {"json": _as_json, "f1": _by_words}
_WHOLE: dict[str, Callable[[str, str], bool]] = {
    "number": _as_number,
    "exact": _exactly,
    "label": is_label,
    "contains": holds,
}
