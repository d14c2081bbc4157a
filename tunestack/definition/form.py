"""The form that everything else relies on: which parts are lists, mappings and strings at all."""

from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator

from tunestack.definition.expressions import FUNCTIONS, is_expression
from tunestack.definition.finding import Finding

_TEXT = {"type": "string"}
_TEXTS = {"type": "array", "items": _TEXT}
_PLAIN = {"type": ["string", "number", "boolean", "null"]}
_STEPS = {"type": "array", "items": {"$ref": "#/$defs/step"}}
_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["Version", "Steps"],
    "properties": {
        "Parameters": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["Name", "Type"],
                "properties": {"Name": _TEXT, "Type": _TEXT, "DefaultValue": _PLAIN, "EnumValues": _TEXTS},
            },
        },
        "Steps": _STEPS,
    },
    "$defs": {
        "step": {
            "type": "object",
            "required": ["Name", "Type", "Arguments"],
            "properties": {
                "Name": _TEXT,
                "Type": _TEXT,
                "DisplayName": _TEXT,
                "Description": _TEXT,
                "Arguments": {
                    "type": "object",
                    "properties": {
                        "IfSteps": _STEPS,
                        "ElseSteps": _STEPS,
                        "Conditions": {"type": "array", "items": {"type": "object"}},
                    },
                },
                "DependsOn": _TEXTS,
                "PropertyFiles": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["PropertyFileName", "OutputName", "FilePath"],
                        "properties": {"PropertyFileName": _TEXT, "OutputName": _TEXT, "FilePath": _TEXT},
                    },
                },
                "CacheConfig": {
                    "type": "object",
                    "properties": {"Enabled": {"type": "boolean"}, "ExpireAfter": _TEXT},
                },
                "RetryPolicies": {
                    "type": "array",
                    "items": {"type": "object", "properties": {"ExceptionType": _TEXTS}},
                },
            },
        }
    },
}
# A part of a join: plain, or an expression of its own.
_JOINED = {
    "anyOf": [
        {"type": ["string", "number", "boolean"]},
        {"type": "object", "maxProperties": 1, "anyOf": [{"required": [name]} for name in sorted(FUNCTIONS)]},
    ]
}
_EXPRESSIONS: dict[str, dict[str, Any]] = {
    "Get": _TEXT,
    "Std:Join": {
        "type": "object",
        "required": ["On", "Values"],
        "properties": {"On": _TEXT, "Values": {"type": "array", "items": _JOINED}},
    },
    "Std:JsonGet": {
        "type": "object",
        "required": ["PropertyFile", "Path"],
        "properties": {
            "Path": _TEXT,
            "PropertyFile": {"type": "object", "required": ["Get"], "properties": {"Get": _TEXT}},
        },
    },
}


def check_form(definition: Any) -> list[Finding]:
    """What must be fixed before the rest can be looked at."""
    findings = [
        Finding(where=_place(error.absolute_path), message=error.message)
        for error in Draft202012Validator(_SCHEMA).iter_errors(definition)
    ]
    return findings or list(_check_expressions(definition, ""))


def _check_expressions(value: Any, where: str) -> Iterator[Finding]:
    if is_expression(value):
        name, inner = next(iter(value.items()))
        for error in Draft202012Validator(_EXPRESSIONS[name]).iter_errors(inner):
            yield Finding(where=f"{where}.{name}", message=error.message)
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _check_expressions(item, f"{where}.{key}" if where else str(key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _check_expressions(item, f"{where}[{index}]")


def _place(path: Any) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")
