"""Whether an answer is right, compared as what the wanted one is: JSON by its fields, numbers by value, words."""

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from tunestack_training.generation import Answer

AUTO = "auto"
# Of a fence around code or JSON, what is in it.
_FENCED = re.compile(r"```[\w+-]*\n(.*?)```", re.DOTALL)
_NUMBER = re.compile(r"[-+]?\d[\d,]*(?:\.\d+)?(?:[eE][-+]?\d+)?")
# Scripts that put no space between words: there a part of a text is looked for as it is.
_WITHOUT_SPACES = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
_SIGNS = re.compile(r"[-+](?=\d)|(?<=\d)[.,](?=\d)")


def comparison_for(wanted: Sequence[str], chosen: str) -> str:
    """How answers are compared: as chosen, or (`auto`) by what all the wanted ones are.

    All JSON objects or lists: `json`; all numbers: `number`; else `contains`.
    """
    if chosen != AUTO or not wanted:
        return "contains" if chosen == AUTO else chosen
    if all(isinstance(_json_in(text), dict | list) for text in wanted):
        return "json"
    return "number" if all(_number(text.strip()) is not None for text in wanted) else "contains"


def score(answer: Answer, wanted: str, comparison: str, pattern: str | None = None) -> float:
    """How much of an answer is right, 0 to 1: of JSON that of its fields, by `f1` that of words, else all or nothing.

    By `pattern` answers are alike where what it finds in them is: its first group, or all of it. What ran into the
    limit of tokens is never right by containing: nobody knows what it would have said.
    """
    if comparison == "pattern":
        return _by_pattern(answer.text, wanted, pattern or "")
    if comparison == "contains":
        return float(answer.ended and holds(answer.text, wanted))
    return _SCORES[comparison](answer.text, wanted)


def holds(text: str, wanted: str) -> bool:
    """Whether an answer has the wanted one in it, word by word; where that has no words, sign by sign."""
    words = plain(wanted)
    if not words:
        return wanted.strip() in text
    if _WITHOUT_SPACES.search(words):
        return words.replace(" ", "") in plain(text).replace(" ", "")
    return f" {words} " in f" {plain(text)} "


def plain(text: str) -> str:
    """Letters with their marks, and digits with their signs, in lower case: what is left when form doesn't count."""
    text = unicodedata.normalize("NFKC", text).casefold()
    signs = {found.start() for found in _SIGNS.finditer(text)}
    kept = (
        letter if unicodedata.category(letter)[0] in "LMN" or index in signs else " "
        for index, letter in enumerate(text)
    )
    return " ".join("".join(kept).split())


def _exactly(text: str, wanted: str) -> float:
    return float(_normal(text) == _normal(wanted))


def _normal(text: str) -> str:
    """The same text, however its letters are made up, and without the blanks around it."""
    return unicodedata.normalize("NFC", text).strip()


def _by_pattern(text: str, wanted: str, pattern: str) -> float:
    said, right = (re.search(pattern, part) for part in (text, wanted))
    if said is None or right is None:
        return 0.0
    return _exactly(*(next((part for part in found.groups() if part is not None), found[0]) for found in (said, right)))


def _by_words(text: str, wanted: str) -> float:
    """F1 over words, as SQuAD scores answers (Rajpurkar et al. 2016); over signs in scripts that put no space."""
    said, right = _words(text), _words(wanted)
    common = (Counter(said) & Counter(right)).total()
    return 2 * common / (len(said) + len(right)) if common else 0.0


def _words(text: str) -> list[str]:
    words = plain(text)
    return list(words.replace(" ", "")) if _WITHOUT_SPACES.search(words) else words.split()


def _as_number(text: str, wanted: str) -> float:
    """The last number of an answer is what it comes to."""
    found = _NUMBER.findall(unicodedata.normalize("NFKC", text))
    value = _number(wanted.strip())
    return float(bool(found) and value is not None and _number(found[-1]) == value)


def _number(text: str) -> Decimal | None:
    try:
        found = Decimal(text.replace(",", ""))
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def _as_json(text: str, wanted: str) -> float:
    """The share of fields, wanted or given, that are there with the same value."""
    said, right = _json_in(text), _json_in(wanted)
    if said is None or right is None:
        return 0.0
    given, asked = _fields(said), _fields(right)
    every = given.keys() | asked.keys()
    equal = [name for name in every if name in given and name in asked and given[name] == asked[name]]
    return len(equal) / len(every)


def _json_in(text: str) -> Any:
    """The JSON that a text is, or has in a fence; None where it is none."""
    fenced = _FENCED.search(text)
    for part in (text, fenced[1] if fenced else ""):
        try:
            return json.loads(part, parse_float=Decimal, parse_int=Decimal)
        except (ValueError, RecursionError, InvalidOperation):
            continue
    return None


def _fields(value: Any, name: tuple[Any, ...] = ()) -> dict[tuple[Any, ...], Any]:
    """The values of a structure by their places; an empty structure is a value."""
    if isinstance(value, dict | list) and value:
        items = value.items() if isinstance(value, dict) else enumerate(value)
        return {place: leaf for key, item in items for place, leaf in _fields(item, (*name, key)).items()}
    # With its type: true is no 1, and "1" neither.
    leaf = _normal(value) if isinstance(value, str) else value
    return {name: (type(value).__name__, str(leaf.normalize() if isinstance(leaf, Decimal) else leaf))}


_SCORES: dict[str, Callable[[str, str], float]] = {
    "json": _as_json,
    "number": _as_number,
    "exact": _exactly,
    "f1": _by_words,
}
