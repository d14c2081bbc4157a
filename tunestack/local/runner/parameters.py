"""The parameters that an execution is started with, checked as StartPipelineExecution checks them."""

from typing import Any

from tunestack.errors import nearest
from tunestack.local.runner.errors import ApiError


def parameter_values(declared: list[dict[str, Any]], given: list[dict[str, str]]) -> dict[str, Any]:
    """The value of every parameter: the given one, read as its type, or its default.

    Raises:
        ApiError: a parameter is unknown, missing, of the wrong type or not among the allowed values.
    """
    by_name = {parameter["Name"]: parameter for parameter in declared}
    chosen = {item["Name"]: item["Value"] for item in given}
    for name in chosen.keys() - by_name.keys():
        raise ApiError("ValidationException", f"Unknown parameter {name!r}; {nearest(name, by_name)}")
    values = {}
    for name, parameter in by_name.items():
        if name not in chosen and "DefaultValue" not in parameter:
            raise ApiError("ValidationException", f"Parameter {name!r} has no default and was not given")
        values[name] = _read(parameter, chosen[name]) if name in chosen else parameter["DefaultValue"]
    return values


def _read(parameter: dict[str, Any], text: str) -> Any:
    kind, name = parameter["Type"], parameter["Name"]
    allowed = parameter.get("EnumValues")
    if allowed and text not in allowed:
        raise ApiError("ValidationException", f"Parameter {name!r} must be one of {', '.join(allowed)}, got {text!r}")
    try:
        if kind == "Integer":
            return int(text)
        if kind == "Float":
            return float(text)
    except ValueError:
        raise ApiError("ValidationException", f"Parameter {name!r} must be of type {kind}, got {text!r}") from None
    if kind == "Boolean":
        if text.lower() not in ("true", "false"):
            raise ApiError("ValidationException", f"Parameter {name!r} must be true or false, got {text!r}")
        return text.lower() == "true"
    return text
