"""The values that an argument can take: itself, or all that its parameter allows."""

from collections.abc import Iterator
from typing import Any

from tunestack.catalogue import InstanceType, find_instance
from tunestack.definition.expressions import is_expression, parameter_of
from tunestack.definition.jobs import api_of, cluster_of
from tunestack.definition.subject import Subject


def choices(value: Any, subject: Subject) -> list[Any]:
    """Every value known at synth; nothing where the value comes from a step."""
    name = parameter_of(value)
    if name is not None and name in subject.parameters:
        declared = subject.parameters[name]
        return list(dict.fromkeys([declared.get("DefaultValue"), *declared.get("EnumValues", [])]))
    return [] if value is None or is_expression(value) else [value]


def cluster(subject: Subject) -> tuple[str, dict[str, Any]]:
    """Where a job's request says what it runs on, and what it says."""
    api = api_of(subject.kind)
    return (".".join(api.cluster), dict(cluster_of(api, subject.arguments))) if api else ("", {})


def instance_choices(subject: Subject) -> Iterator[InstanceType]:
    """The instance types that a job can take, as far as the catalogue knows them."""
    for name in choices(cluster(subject)[1].get("InstanceType"), subject):
        instance = find_instance(str(name))
        if instance is not None:
            yield instance


def number(value: Any) -> float | None:
    """The number that an argument is, or None where it isn't known at synth."""
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None
