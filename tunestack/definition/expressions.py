"""The definition's functions, as they stand in plain JSON."""

from collections.abc import Iterator, Mapping
from typing import Any

FUNCTIONS = frozenset({"Get", "Std:Join", "Std:JsonGet"})


def is_expression(value: Any) -> bool:
    """Whether the value is computed when the pipeline runs."""
    return isinstance(value, dict) and len(value) == 1 and next(iter(value)) in FUNCTIONS


def is_filled_in_later(value: str) -> bool:
    """Whether CloudFormation fills in a part of the string: a CDK token, or its `${…}` in shown JSON."""
    return "${" in value


def parameter_of(value: Any) -> str | None:
    """The name of the parameter that the value is, or None."""
    path = value.get("Get") if isinstance(value, dict) else None
    return path.removeprefix("Parameters.") if isinstance(path, str) and path.startswith("Parameters.") else None


def known_text(value: Any, parameters: Mapping[str, Mapping[str, Any]]) -> str | None:
    """The text of a join of literals and parameters, with the parameters' defaults; None where a step decides."""
    join = value.get("Std:Join") if isinstance(value, dict) else None
    if join is None:
        return None
    parts = []
    for part in join["Values"]:
        name = parameter_of(part)
        known = parameters.get(name, {}).get("DefaultValue") if name else part
        if isinstance(known, dict):
            known = known_text(known, parameters)
        if known is None:
            return None
        parts.append(str(known))
    return str(join["On"]).join(parts)


def get_paths(value: Any) -> Iterator[str]:
    """Every path that is got anywhere in the value, those inside joins and property files included."""
    if isinstance(value, dict):
        if is_expression(value) and "Get" in value:
            yield value["Get"]
        else:
            for item in value.values():
                yield from get_paths(item)
    elif isinstance(value, list):
        for item in value:
            yield from get_paths(item)


def json_gets(value: Any) -> Iterator[dict[str, Any]]:
    """Every `Std:JsonGet` anywhere in the value."""
    if isinstance(value, dict):
        if is_expression(value) and "Std:JsonGet" in value:
            yield value["Std:JsonGet"]
        for item in value.values():
            yield from json_gets(item)
    elif isinstance(value, list):
        for item in value:
            yield from json_gets(item)
