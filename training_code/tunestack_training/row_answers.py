"""The answer of a row as text: as it is, or the JSON that is asked for."""

import json
import math
from collections.abc import Mapping
from typing import Any

from tunestack_training.failure import UnusableError
from tunestack_training.row_keys import is_given


def answer_text(value: Mapping[str, Any], key: str) -> str:
    """The text of an answer; of anything else its JSON: that is what is asked for then.

    Raises:
        UnusableError: it is empty, or JSON has no form for it, or it may be several answers.
    """
    given = value[key]
    if not is_given(given):
        raise UnusableError(f"{key!r} is empty")
    if isinstance(given, str):
        return given
    if _may_be_answers(given):
        raise UnusableError(
            f"{key!r} is a list of texts, or may be several answers: give the one that is to be trained as text, or "
            "all of it as text if that is the answer"
        )
    try:
        return json.dumps(given, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError):
        raise UnusableError(f"{key!r} must be text or JSON, got a {_no_json(given)}") from None


def _no_json(value: Any) -> str:
    """The kind of the first thing in a value that JSON has no form for."""
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        if found := _no_json(part):
            return found
    if isinstance(value, float):
        return "" if math.isfinite(value) else "number that is none"
    return "" if isinstance(value, dict | list | str | int | None) else type(value).__name__


def _may_be_answers(given: Any) -> bool:
    """Whether a structure holds answers, and isn't one: texts, or those of persons, with what else is known of them."""
    if isinstance(given, dict):
        named = {"value", "text"} & {*given}
        return bool(named) and bool({"aliases", "normalized_value", "answer_start", "user_id", "status"} & {*given})
    return isinstance(given, list) and bool(given) and all(map(_may_be_one, given))


def _may_be_one(item: Any) -> bool:
    if isinstance(item, dict):
        return bool({"value", "text"} & {*item}) and bool({"status", "user_id", "score", "answer_start"} & {*item})
    return isinstance(item, str)
