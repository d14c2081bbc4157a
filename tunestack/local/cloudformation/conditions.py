"""Conditions that join a list: ministack compares the function itself, and CDK's bootstrap got no default policy."""

from collections.abc import Mapping
from typing import Any


def join_in_conditions() -> None:
    """Have `Fn::Join` of a parameter be the parameter, which ministack keeps joined: enough for `is it empty`."""
    from ministack.services.cloudformation import changesets, engine, handlers, stacks

    evaluate = engine._evaluate_conditions

    def joined(template: Mapping[str, Any], parameters: Mapping[str, Any]) -> Any:
        return evaluate({**template, "Conditions": _joined(template.get("Conditions", {}))}, parameters)

    changesets._evaluate_conditions = engine._evaluate_conditions = joined
    handlers._evaluate_conditions = stacks._evaluate_conditions = joined


def _joined(value: Any) -> Any:
    if isinstance(value, list):
        return [_joined(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    if value.keys() == {"Fn::Join"} and isinstance(value["Fn::Join"][1], Mapping):
        return _joined(value["Fn::Join"][1])
    return {key: _joined(item) for key, item in value.items()}
