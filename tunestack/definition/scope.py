"""The definition's expressions as values, while an execution runs."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jmespath

from tunestack.definition.expressions import is_expression
from tunestack.definition.property_path import parts, uri_of_output


class NoValueError(Exception):
    """An expression that has no value; the text says which."""


@dataclass(frozen=True, kw_only=True)
class Scope:
    """What expressions can refer to: parameters, the execution, and the outcomes of finished steps."""

    parameters: Mapping[str, Any]
    execution: Mapping[str, Any]
    outcomes: Mapping[str, Mapping[str, Any]]
    property_files: Mapping[tuple[str, str], dict[str, str]]
    """(step, property file) → its declaration."""
    read_file: Callable[[str], bytes]
    """Reads an S3 URI."""

    def resolve(self, value: Any) -> Any:
        """A value with every expression in it replaced.

        Raises:
            NoValueError: a property or a path in a property file isn't there.
        """
        if is_expression(value):
            return self._evaluate(value)
        if isinstance(value, dict):
            return {key: self.resolve(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.resolve(item) for item in value]
        return value

    def _evaluate(self, expression: dict[str, Any]) -> Any:
        if "Get" in expression:
            return self._get(expression["Get"])
        if "Std:Join" in expression:
            join = expression["Std:Join"]
            return str(join["On"]).join(_text(self.resolve(item)) for item in join["Values"])
        return self.property_file_value(expression["Std:JsonGet"])

    def _get(self, path: str) -> Any:
        root, _, rest = path.partition(".")
        if root == "Parameters":
            return self.parameters[rest]
        if root == "Execution":
            return self.execution[rest]
        step, _, rest = rest.partition(".")
        return _follow(self.outcomes[step], rest, path)

    def property_file_value(self, source: dict[str, Any]) -> Any:
        """What a `Std:JsonGet` reads.

        Raises:
            NoValueError: the file isn't JSON, or has nothing there.
        """
        _, step, _, name = source["PropertyFile"]["Get"].split(".")
        declaration = self.property_files[(step, name)]
        place = _follow(self.outcomes[step], uri_of_output(declaration["OutputName"]), step)
        uri = f"{place.rstrip('/')}/{declaration['FilePath']}"
        try:
            content = json.loads(self.read_file(uri))
        except ValueError as error:
            raise NoValueError(f"property file {uri} is not JSON: {error}") from None
        value = jmespath.search(source["Path"], content)
        if value is None:
            raise NoValueError(f"property file {uri} has nothing at {source['Path']!r}")
        return value


def _follow(value: Any, path: str, whole: str) -> Any:
    for part in parts(path):
        found = None
        if part.position is not None:
            found = value[part.position] if isinstance(value, list) and part.position < len(value) else None
        elif isinstance(value, list):
            names = ("OutputName", "ChannelName")
            found = next((item for item in value if part.key in map(item.get, names)), None)
        elif isinstance(value, dict):
            found = value.get(part.member if part.member is not None else part.key)
        if found is None:
            raise NoValueError(f"{whole} has no value")
        value = found
    return value


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else repr(value)
