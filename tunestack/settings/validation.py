"""A YAML file against its class: every problem at once, each where it stands in the file, with what would be right."""

from collections.abc import Iterator
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from tunestack.errors import nearest
from tunestack.settings.problems import Problem, SettingsError
from tunestack.settings.yaml_file import KeyPath, YamlFile

Model = TypeVar("Model", bound=BaseModel)
# Keys that were called otherwise once.
RENAMED: dict[KeyPath, str] = {("jobs", "register"): "package", ("merge",): "package"}
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
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "too_short": "must have at least {min_length} items",
    "bool_type": "must be true or false",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "string_type": "must be text",
    "list_type": "must be a list",
    "dict_type": "must be a mapping of keys to values",
    "model_type": "must be a mapping of keys to values",
}
_SAID_WITHOUT_VALUE = ("missing", "value_error")


def validated(model: type[Model], source: YamlFile) -> Model:
    """The file as its class.

    Raises:
        SettingsError: with every problem of the file.
    """
    try:
        return model.model_validate(source.data, strict=True)
    except ValidationError as error:
        problems = [_problem(model, source, detail) for detail in _first_of_each(error, source)]
        raise SettingsError(sorted(problems, key=lambda problem: (problem.line or 0, problem.key))) from None


def in_words(detail: ErrorDetails) -> str:
    """What is wrong with a value, what would be right, and the value."""
    kind, context = detail["type"], {key: _plain(value) for key, value in detail.get("ctx", {}).items()}
    words = _WORDS[kind].format(**context) if kind in _WORDS else detail["msg"][0].lower() + detail["msg"][1:]
    return words if kind in _SAID_WITHOUT_VALUE else f"{words}, got {detail['input']!r}"


def _plain(value: object) -> object:
    """A limit as a person writes it: 0, not 0.0."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _first_of_each(error: ValidationError, source: YamlFile) -> Iterator[ErrorDetails]:
    """Each value's first error: where a field takes this or that, pydantic has one for each of them."""
    seen: set[KeyPath] = set()
    for detail in error.errors():
        path = _path(detail, source)
        if path not in seen:
            seen.add(path)
            yield detail


def _problem(model: type[BaseModel], source: YamlFile, detail: ErrorDetails) -> Problem:
    path = _path(detail, source)
    if detail["type"] != "extra_forbidden":
        return source.problem(path, in_words(detail))
    if path in RENAMED:
        return source.problem(path, f"unknown key; it is called {RENAMED[path]!r} now")
    return source.problem(path, f"unknown key; {nearest(str(path[-1]), _fields_at(model, path[:-1]))}")


def _path(detail: ErrorDetails, source: YamlFile) -> KeyPath:
    """The error's place in the file: pydantic adds the member of a union, and marks a mapping's key."""
    path = tuple(part for part in detail["loc"] if part != "[key]")
    if detail["type"] == "missing":
        return path
    while path[:-1] in source.lines and path not in source.lines:
        path = path[:-1]
    return path


def _fields_at(model: type[BaseModel], path: KeyPath) -> list[str]:
    for part in path:
        annotation: Any = model.model_fields[str(part)].annotation
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            return []
        model = annotation
    return list(model.model_fields)
