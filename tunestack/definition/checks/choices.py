"""The values that an argument can take: itself, or all that its parameter allows."""

from collections.abc import Iterator, Mapping
from typing import Any

from tunestack.catalogue import InstanceType, find_instance
from tunestack.definition.expressions import is_expression, parameter_of

Parameters = Mapping[str, Mapping[str, Any]]


def choices(value: Any, parameters: Parameters) -> list[Any]:
    """Every value known at synth; nothing where the value comes from a step."""
    name = parameter_of(value)
    if name is not None and name in parameters:
        declared = parameters[name]
        return list(dict.fromkeys([declared.get("DefaultValue"), *declared.get("EnumValues", [])]))
    return [] if value is None or is_expression(value) else [value]


def instance_choices(value: Any, parameters: Parameters) -> Iterator[InstanceType]:
    """The instance types that an argument can take, as far as the catalogue knows them."""
    for name in choices(value, parameters):
        instance = find_instance(str(name))
        if instance is not None:
            yield instance


def number(value: Any) -> float | None:
    """The number that an argument is, or None where it isn't known at synth."""
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None
