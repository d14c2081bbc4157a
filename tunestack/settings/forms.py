"""The forms that a text may have: a regular expression for the schema, and words for people."""

from typing import Any

from pydantic import Field

# Those of `training_code`, whose recipe can't know this module, and of `form`, by their regular expressions.
WORDS: dict[str, str] = {
    r"^[A-Za-z0-9][A-Za-z0-9_.\-]*(/[A-Za-z0-9_.\-]+)?$": "must be a model's id, NAME or ORGANISATION/NAME",
    r"^[A-Za-z0-9_.\-]+$": "must be letters, digits, '.', '_' and '-'",
    r"^[A-Za-z0-9][A-Za-z0-9_.\-]*$": "must be letters, digits, '.', '_' and '-', beginning with a letter or digit",
}


def form(pattern: str, words: str, **limits: Any) -> Any:
    """A field whose text must match; `words` say what it must be."""
    WORDS[pattern] = words
    return Field(pattern=pattern, **limits)
