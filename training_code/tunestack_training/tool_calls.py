"""Tools that a model may call, and its calls of them, in the one form that chat templates take: OpenAI's functions.

What templates render is a call's arguments as an object, and a tool as `{"type": "function", "function": {…}}`.
"""

import json
from collections.abc import Mapping
from typing import Any

from tunestack_training.failure import UnusableError
from tunestack_training.row_keys import is_there

TOOLS = ("tools", "functions")
CALLS = ("tool_calls", "function_call")
# A message that is the answer of a tool, and one that is a call, by the names that people have for their roles.
ANSWERS_OF_TOOLS = ("tool", "function", "observation", "ipython", "tool_response")
ROLES_OF_CALLS = ("function_call", "tool_call")
_FUNCTION = "function"


def tools_of(value: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The tools of a row or a request; a text that is no JSON is a topic, and none.

    Raises:
        UnusableError: they are no functions with names.
    """
    for key in TOOLS:
        given = _from_text(value.get(key))
        if not is_there(given) or isinstance(given, str):
            continue
        if not isinstance(given, list):
            raise UnusableError(f"{key!r} must be a list of functions with names")
        return [_tool(item, f"{key}[{index}]") for index, item in enumerate(given) if is_there(item)]
    return []


def calls_of(message: Mapping[str, Any], where: str) -> list[dict[str, Any]]:
    """The calls of an assistant's message.

    Raises:
        UnusableError: one has no name, or arguments that are no object.
    """
    for key in CALLS:
        given = _from_text(message.get(key))
        if is_there(given):
            return [_call(item, f"{where}.{key}") for item in (given if isinstance(given, list) else [given])]
    return []


def calls_in_text(text: Any, where: str) -> list[dict[str, Any]]:
    """The calls that a message of their own has as its text, as ShareGPT's `function_call`.

    Raises:
        UnusableError: they are no calls.
    """
    given = _from_text(text)
    return [_call(item, where) for item in (given if isinstance(given, list) else [given])]


def _tool(item: Any, where: str) -> dict[str, Any]:
    function = item.get(_FUNCTION, item) if isinstance(item, dict) else None
    if not isinstance(function, dict) or not isinstance(function.get("name"), str) or not function["name"].strip():
        raise UnusableError(f"{where} must be a function with a name")
    return {"type": _FUNCTION, _FUNCTION: function}


def _call(item: Any, where: str) -> dict[str, Any]:
    function = item.get(_FUNCTION, item) if isinstance(item, dict) else None
    if not isinstance(function, dict) or not isinstance(function.get("name"), str) or not function["name"].strip():
        raise UnusableError(f"{where} must be a call of a function by its name")
    arguments = _from_text(function.get("arguments", function.get("parameters")) or {})
    if not isinstance(arguments, dict):
        raise UnusableError(f"{where}: the arguments of a call must be an object")
    named = {"id": item["id"]} if isinstance(item.get("id"), str) else {}
    return {"type": _FUNCTION, **named, _FUNCTION: {"name": function["name"], "arguments": arguments}}


def _from_text(value: Any) -> Any:
    """What a text holds, if it is JSON: tables and OpenAI's arguments have it so."""
    if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value
