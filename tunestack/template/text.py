"""A template's values as text."""

import json
from collections.abc import Callable, Mapping
from typing import Any


def text_of(value: Any, reference: Callable[[str, Any], str]) -> str:
    """A value as text: what is written and joined as it reads, every other function as `reference` writes it.

    `reference` gets the function's name (`Ref`, `Fn::GetAtt`) and its argument.
    """
    match value:
        case str():
            return value
        case {"Fn::Join": [str() as separator, [*parts]]}:
            return separator.join(text_of(part, reference) for part in parts)
        case {"Fn::Sub": str() as text} | {"Fn::Sub": [str() as text, *_]}:
            return text
    if isinstance(value, Mapping) and len(value) == 1:
        ((name, argument),) = value.items()
        if name == "Ref" or name.startswith("Fn::"):
            return reference(name, argument)
    return json.dumps(value)


def in_dollars(name: str, argument: Any) -> str:
    """A function as `${…}`: `Ref` and `Fn::GetAtt` as in `Fn::Sub`, others by what they are."""
    match name, argument:
        case "Ref", str():
            return f"${{{argument}}}"
        case "Fn::GetAtt", [str() as resource, str() as attribute]:
            return f"${{{resource}.{attribute}}}"
        case "Fn::GetStackOutput", {"StackName": stack, "OutputName": output}:
            return f"${{{stack}.{output}}}"
    # Fn::Select over Fn::Split takes an ARN apart: it is named by what it is taken from.
    inner = json.dumps({name: argument}, separators=(",", ":")).replace('"', "'")
    return f"${{{inner}}}"
