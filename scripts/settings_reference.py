"""The settings reference of the docs, made from the JSON Schemas."""

import json
from typing import Any


def reference(title: str, schema: dict[str, Any]) -> str:
    """A table of keys per section: type, default, meaning."""
    lines = [f"## {title}", ""]
    top = {name: field for name, field in schema["properties"].items() if _section_of(field) is None}
    if top:
        lines += _table(top, set(schema.get("required", [])))
    for name, field in schema["properties"].items():
        if (section := _section_of(field)) is not None:
            lines += _section(_place(name, field), schema["$defs"][section], schema)
    return "\n".join(lines) + "\n"


def _section(name: str, section: dict[str, Any], schema: dict[str, Any]) -> list[str]:
    lines = [f"### `{name}`", "", section.get("description", ""), ""]
    plain = {key: field for key, field in section["properties"].items() if _section_of(field) is None}
    if plain:
        lines += _table(plain, set(section.get("required", [])))
    for key, field in section["properties"].items():
        if (inner := _section_of(field)) is not None:
            lines += _section(f"{name}.{_place(key, field)}", schema["$defs"][inner], schema)
    return lines


def _section_of(field: dict[str, Any]) -> str | None:
    """The name of the section that a field is, may be, or is a list of."""
    found = next(
        (choice for choice in (field, *field.get("anyOf", ()), field.get("items", {})) if "$ref" in choice), None
    )
    return found["$ref"].rpartition("/")[2] if found else None


def _place(name: str, field: dict[str, Any]) -> str:
    return f"{name}[]" if "items" in field else name


def _table(fields: dict[str, Any], required: set[str]) -> list[str]:
    lines = ["| key | values | default | meaning |", "|---|---|---|---|"]
    for name, field in fields.items():
        default = "required" if name in required else f"`{_yaml(field.get('default'))}`"
        meaning = field.get("description", "").replace("\n", " ").replace("|", "\\|")
        lines.append(f"| `{name}` | {_values(field)} | {default} | {meaning} |")
    return [*lines, ""]


def _yaml(value: Any) -> str:
    """A value as YAML has it: null, true; text as it is."""
    return value if isinstance(value, str) else json.dumps(value)


def _values(field: dict[str, Any]) -> str:
    if "anyOf" in field:
        return " or ".join(_values(choice) for choice in field["anyOf"])
    if "enum" in field:
        return ", ".join(f"`{value}`" for value in field["enum"])
    if "const" in field:
        return f"`{_yaml(field['const'])}`"
    limits = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    bounds = " ".join(f"{sign} {field[key]}" for key, sign in limits.items() if key in field)
    return f"{field.get('type', '')} {bounds}".strip()
