"""A step's arguments against the service model: members, types, enums, patterns, lengths, ranges."""

from collections.abc import Iterator, Mapping
from typing import Any

import regex
from botocore.model import ListShape, MapShape, Shape, StructureShape

from tunestack.definition.expressions import is_expression, is_filled_in_later, known_text, parameter_of
from tunestack.definition.finding import Finding
from tunestack.errors import nearest

Parameters = Mapping[str, Mapping[str, Any]]

_PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "boolean": (bool,),
    "timestamp": (int, float, str),
    "blob": (str,),
    "structure": (dict,),
    "map": (dict,),
    "list": (list,),
}
_FITTING_PARAMETERS = {
    "string": {"String"},
    "integer": {"Integer"},
    "long": {"Integer"},
    "float": {"Integer", "Float"},
    "double": {"Integer", "Float"},
    "boolean": {"Boolean"},
}


def check_shape(shape: Shape, value: Any, where: str, parameters: Parameters) -> Iterator[Finding]:
    """Every way in which a value doesn't have the shape; what an execution fills in is checked by its type."""
    if is_expression(value):
        yield from _check_expression(shape, value, where, parameters)
        return
    if not isinstance(value, _PYTHON_TYPES[shape.type_name]) or _bool_as_number(shape, value):
        yield Finding(where=where, message=f"must be of type {shape.type_name}, got {value!r}")
        return
    content: Any = value
    yield from _check_size(shape, value, where)
    if isinstance(shape, StructureShape):
        yield from _check_structure(shape, content, where, parameters)
    elif isinstance(shape, ListShape):
        for index, item in enumerate(content):
            yield from check_shape(shape.member, item, f"{where}[{index}]", parameters)
    elif isinstance(shape, MapShape):
        for key, item in content.items():
            yield from check_shape(shape.key, key, f"{where} key {key!r}", parameters)
            yield from check_shape(shape.value, item, f"{where}.{key}", parameters)


def _check_structure(
    shape: StructureShape, value: dict[str, Any], where: str, parameters: Parameters
) -> Iterator[Finding]:
    for name in shape.required_members:
        if name not in value:
            yield Finding(where=where, message=f"missing {name}")
    for name, item in value.items():
        if name in shape.members:
            yield from check_shape(shape.members[name], item, f"{where}.{name}", parameters)
        else:
            yield Finding(where=f"{where}.{name}", message=f"unknown member; {nearest(name, shape.members)}")


def _check_expression(shape: Shape, value: dict[str, Any], where: str, parameters: Parameters) -> Iterator[Finding]:
    if shape.type_name not in _FITTING_PARAMETERS:
        yield Finding(where=where, message=f"must be of type {shape.type_name}, got the expression {value!r}")
        return
    if "Std:Join" in value and shape.type_name != "string":
        yield Finding(where=where, message=f"must be of type {shape.type_name}, got a join, which is a string")
    if (text := known_text(value, parameters)) is not None and shape.type_name == "string":
        yield from _check_string(shape, text, where)
    name = parameter_of(value)
    parameter = parameters.get(name) if name else None
    if parameter is None:
        return
    if parameter.get("Type") not in _FITTING_PARAMETERS[shape.type_name]:
        hint = "; make a string of it with Std:Join" if shape.type_name == "string" else ""
        message = f"must be of type {shape.type_name}, parameter {name} is {parameter.get('Type')}{hint}"
        yield Finding(where=where, message=message)
        return
    for choice in dict.fromkeys([parameter.get("DefaultValue"), *parameter.get("EnumValues", [])]):
        if choice is not None:
            yield from check_shape(shape, choice, f"{where} (parameter {name} = {choice!r})", parameters)


def _check_size(shape: Shape, value: Any, where: str) -> Iterator[Finding]:
    if isinstance(value, str):
        yield from _check_string(shape, value, where)
        return
    size, unit = (len(value), " items") if isinstance(value, (list, dict)) else (value, "")
    if isinstance(value, bool) or isinstance(shape, StructureShape):
        return
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None and size < low:
        yield Finding(where=where, message=f"must be at least {low}{unit}, got {size}")
    if high is not None and size > high:
        yield Finding(where=where, message=f"must be at most {high}{unit}, got {size}")


def _check_string(shape: Shape, value: str, where: str) -> Iterator[Finding]:
    if is_filled_in_later(value):
        return
    enum, pattern = shape.metadata.get("enum"), shape.metadata.get("pattern")
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if enum and value not in enum:
        yield Finding(where=where, message=f"must be one of the API's values, got {value!r}; {nearest(value, enum)}")
    elif low is not None and len(value) < low:
        yield Finding(where=where, message=f"must have at least {low} characters, got {value!r}")
    elif high is not None and len(value) > high:
        yield Finding(where=where, message=f"must have at most {high} characters, got {len(value)}")
    elif pattern and not regex.fullmatch(pattern, value):
        yield Finding(where=where, message=f"must match {pattern}, got {value!r}")


def _bool_as_number(shape: Shape, value: Any) -> bool:
    return isinstance(value, bool) and shape.type_name != "boolean"
