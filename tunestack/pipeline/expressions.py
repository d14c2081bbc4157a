"""What stands in a definition for a value that is known only when the pipeline runs."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeAlias

Json: TypeAlias = Any


class ParameterType(StrEnum):
    """The types that a pipeline parameter can have."""

    STRING = "String"
    INTEGER = "Integer"
    FLOAT = "Float"


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """A value that each execution can choose, and must where there is no default; with `allowed`, one of a few."""

    name: str
    type: ParameterType
    default: str | int | float | None
    allowed: tuple[str, ...] = ()

    def render(self) -> Json:
        """A use of the parameter, where a value of its own type belongs."""
        return {"Get": f"Parameters.{self.name}"}

    def declaration(self) -> Json:
        """The parameter's entry in the definition."""
        entry: dict[str, Json] = {"Name": self.name, "Type": self.type.value}
        if self.default is not None:
            entry["DefaultValue"] = self.default
        if self.allowed:
            entry["EnumValues"] = list(self.allowed)
        return entry


@dataclass(frozen=True)
class Get:
    """A property of a step (`Steps.NAME.PATH`) or of the execution (`Execution.PipelineExecutionId`)."""

    path: str

    def render(self) -> Json:
        return {"Get": self.path}


EXECUTION_ID = Get("Execution.PipelineExecutionId")


@dataclass(frozen=True)
class Join:
    """Values as one string; also what makes a string of a number parameter."""

    values: tuple[Any, ...]
    on: str = field(default="", kw_only=True)

    def render(self) -> Json:
        return {"Std:Join": {"On": self.on, "Values": [render(value) for value in self.values]}}


@dataclass(frozen=True, kw_only=True)
class PropertyFile:
    """A JSON file that a processing step writes for later steps to read."""

    name: str
    output_name: str
    file_name: str

    def declaration(self) -> Json:
        """The property file's entry in its step."""
        return {"PropertyFileName": self.name, "OutputName": self.output_name, "FilePath": self.file_name}


@dataclass(frozen=True, kw_only=True)
class JsonGet:
    """A value from a property file of an earlier step, by its dotted path."""

    step: str
    property_file: PropertyFile
    path: str

    def render(self) -> Json:
        source = {"Get": f"Steps.{self.step}.PropertyFiles.{self.property_file.name}"}
        return {"Std:JsonGet": {"PropertyFile": source, "Path": self.path}}


def as_string(value: Any) -> Any:
    """A value where the API wants a string: numbers as text, number parameters through a join."""
    if isinstance(value, Parameter) and value.type is not ParameterType.STRING:
        return Join((value,))
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    return value


def render(value: Any) -> Json:
    """Plain JSON for a value; expressions in it become the definition's functions, absent (None) keys vanish."""
    if isinstance(value, (Parameter, Get, Join, JsonGet)):
        return value.render()
    if isinstance(value, dict):
        return {key: render(item) for key, item in value.items() if item is not None}
    if isinstance(value, (list, tuple)):
        return [render(item) for item in value]
    return value
