"""A YAML file against its class: every problem at once, each where it stands in the file, with what would be right."""

import math
import re
from datetime import date
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from tunestack.errors import nearest
from tunestack.settings.foreign_keys import place_of
from tunestack.settings.forms import WORDS as FORMS
from tunestack.settings.problems import SettingsError
from tunestack.settings.yaml_file import KeyPath, YamlFile

Model = TypeVar("Model", bound=BaseModel)
# Keys that were called otherwise once, by the class whose file has them.
RENAMED: dict[KeyPath, str] = {("Environment", "jobs", "register"): "package", ("Recipe", "merge"): "package"}
_UNION_MEMBER = re.compile(r"(literal|list|dict|constrained|function|int|float|str|bool|none)([\[\-]|$)")
# pydantic's kinds of error in our words; the braces take the error's context.
_WORDS = {
    "missing": "missing",
    "value_error": "{error}",
    "literal_error": "must be one of {expected}",
    "greater_than": "must be greater than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "string_pattern_mismatch": "must match {pattern}",
    "finite_number": "must be a finite number",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "too_short": "must have at least {min_length} items",
    "too_long": "must have at most {max_length} items",
    "string_unicode": "must be text; half of a pair of characters is none",
    "invalid_key": "a key must be text",
    "bool_type": "must be true or false",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "int_parsing_size": "must be a whole number of fewer digits",
    "float_type": "must be a number",
    "string_type": "must be text",
    "list_type": "must be a list",
    "dict_type": "must be a mapping of keys to values",
    "model_type": "must be a mapping of keys to values",
}
# Of a value in a message, in characters.
LONGEST_VALUE = 120
_SAID_WITHOUT_VALUE = ("missing", "value_error")


def validated(model: type[Model], source: YamlFile) -> Model:
    """The file as its class.

    Raises:
        SettingsError: with every problem of the file.
    """
    try:
        return model.model_validate(source.data, strict=True)
    except ValidationError as error:
        by_path: dict[KeyPath, list[ErrorDetails]] = {}
        for detail in error.errors():
            by_path.setdefault(_path(detail, source), []).append(detail)
        problems = [
            source.problem(path, _message(model, path, details))
            for path, details in by_path.items()
            if not _said_elsewhere(model, path, by_path)
        ]
        raise SettingsError(sorted(problems, key=lambda problem: (problem.line or 0, problem.key))) from None


def in_words(detail: ErrorDetails) -> str:
    """What is wrong with a value, what would be right, and the value."""
    kind, context = detail["type"], {key: _plain(value) for key, value in detail.get("ctx", {}).items()}
    if kind == "literal_error" and context.get("expected") == "False":
        return "must be false"
    words = _WORDS[kind].format(**context) if kind in _WORDS else detail["msg"][0].lower() + detail["msg"][1:]
    if kind == "string_pattern_mismatch":
        words = FORMS.get(str(context["pattern"]), words)
    value = detail["input"]
    return words if kind in _SAID_WITHOUT_VALUE else f"{words}, got {shortened(value)}{_read_as(kind, value)}"


def shortened(value: object) -> str:
    """A value for a message: a long one is cut."""
    text = repr(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"


def _read_as(kind: str, value: object) -> str:
    """What YAML has made of a value that looks like another."""
    if kind in ("float_type", "int_type") and isinstance(value, str):
        try:
            number = float(value)
        except ValueError:
            return ""
        if not math.isfinite(number) or (number == 0 and "e" in value.lower()):
            # As a number it would be none that can be used.
            return ""
        if kind == "int_type" and number.is_integer():
            return f", which YAML reads as text: write {number:.0f}"
        written = f"{number:.6e}" if "e" in value.lower() else value
        mantissa, _, exponent = written.partition("e")
        plain = f"{float(mantissa)}e{int(exponent):+03d}" if exponent else value
        return f", which YAML reads as text: write {plain}, without quotes"
    if kind == "string_type" and isinstance(value, (bool, int, float, date)):
        return f", which YAML reads as {type(value).__name__}: put it in quotes"
    return ""


def _plain(value: object) -> object:
    """A limit as a person writes it: 0, not 0.0."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _message(model: type[BaseModel], path: KeyPath, details: list[ErrorDetails]) -> str:
    if details[0]["type"] == "extra_forbidden":
        renamed = RENAMED.get((model.__name__, *path))
        if renamed:
            return f"unknown key; it is called {renamed!r} now"
        foreign = place_of(str(path[-1])) if model.__name__ == "Recipe" else None
        return f"unknown key; {foreign or nearest(str(path[-1]), _fields_at(model, path[:-1]))}"
    # A field that takes this or that has an error for each.
    value = details[0]["input"]
    got = f", got {shortened(value)}"
    said = dict.fromkeys(in_words(detail).partition(got)[0] for detail in details)
    if details[0]["type"] in _SAID_WITHOUT_VALUE:
        return " or ".join(said)
    return " or ".join(said) + got + next(filter(None, (_read_as(item["type"], value) for item in details)), "")


def _said_elsewhere(model: type[BaseModel], path: KeyPath, by_path: dict[KeyPath, list[ErrorDetails]]) -> bool:
    """Whether a problem is another's: an item is wrong, not its list; a key is missing that has its old name."""
    if any(other[: len(path)] == path and len(other) > len(path) for other in by_path):
        return True
    missing = by_path[path][0]["type"] == "missing"
    old_names = [key[1:] for key, name in RENAMED.items() if key[0] == model.__name__ and (*key[1:-1], name) == path]
    return missing and any(old in by_path for old in old_names)


def _path(detail: ErrorDetails, source: YamlFile) -> KeyPath:
    """The error's place in the file: pydantic adds the member of a union, and marks a mapping's key."""
    path: KeyPath = ()
    for part in detail["loc"]:
        is_label = part == "[key]" or (isinstance(part, str) and _UNION_MEMBER.match(part) is not None)
        if not is_label or (*path, part) in source.lines:
            path = (*path, part)
    return path


def _fields_at(model: type[BaseModel], path: KeyPath) -> list[str]:
    for part in path:
        annotation: Any = model.model_fields[str(part)].annotation
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            return []
        model = annotation
    return list(model.model_fields)
