"""What a template's property may hold, taken as what it should be."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tunestack.template.text import text_of

# The condition, and its two branches.
_IF_PARTS = 3


def is_true(value: Any) -> bool:
    """Whether a property is set, as a boolean or as its text."""
    return str(value).lower() == "true"


def as_mapping(value: Any) -> Mapping[str, Any]:
    """What should be a structure, or an empty one."""
    return value if isinstance(value, Mapping) else {}


def as_mappings(value: Any) -> list[Mapping[str, Any]]:
    """The structures of what may be one or several."""
    return [item for item in as_list(value) if isinstance(item, Mapping)]


def as_list(value: Any) -> list[Any]:
    """What may be one or several, as several."""
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]


def as_text(value: Any) -> str:
    """A value for reading and comparing: literal text as it is, CloudFormation's functions as JSON."""
    return text_of(value, lambda name, argument: json.dumps({name: argument}))


def strings(value: Any, where: str = "") -> Iterator[tuple[str, str]]:
    """Every literal string in a value, with its place."""
    if isinstance(value, str):
        yield where, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from strings(item, f"{where}.{key}" if where else str(key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from strings(item, f"{where}[{index}]")


def branch_taken(argument: list[Any]) -> Any:
    """What `Fn::If` gives: its first branch, or the second where the first is no value."""
    _, first, second = argument
    return second if first == {"Ref": "AWS::NoValue"} else first


def without_conditions(value: Any) -> Any:
    """A value with every `Fn::If` decided."""
    if isinstance(value, list):
        return [without_conditions(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    branches = value.get("Fn::If")
    if isinstance(branches, list) and len(branches) == _IF_PARTS:
        return without_conditions(branch_taken(branches))
    return {key: without_conditions(item) for key, item in value.items()}
