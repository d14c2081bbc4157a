"""The parameters of a deployed definition, and what is wrong with the values that a run chooses for them."""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from tunestack.errors import nearest
from tunestack.layout import S3Uri
from tunestack.pipeline.recipe_parameters import (
    CHECKPOINT_KEY,
    GATE_LIMITS,
    NOT_IN_CHECKPOINT_KEY,
    RUN_CHOICES,
    checkpoint_key,
)
from tunestack.settings.recipe import Recipe, changed_recipe
from tunestack.settings.validation import in_words

_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?|-?\.[0-9]+")
_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_\-]{0,62}")
Declared = Mapping[str, Mapping[str, Any]]


def _number(value: str) -> float:
    """A number as the service reads it: Python's own reader takes 1_000, +5, digits of every script, and nan."""
    if not _NUMBER.fullmatch(value) or not math.isfinite(float(value)):
        raise ValueError(value)
    return float(value)


def _whole_number(value: str) -> int:
    _number(value)
    return int(value)


_READERS: dict[str, Callable[[str], Any]] = {"Integer": _whole_number, "Float": _number, "String": str}


def declared_parameters(definition: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The parameters that a definition declares, by name."""
    return {parameter["Name"]: parameter for parameter in definition["Parameters"]}


def parameter_values(declared: Declared, given: Mapping[str, str]) -> dict[str, Any]:
    """Every parameter's value in its type: the given one, or the default."""
    defaults = {name: parameter.get("DefaultValue", "") for name, parameter in declared.items()}
    read = {name: _READERS[declared[name]["Type"]](value) for name, value in given.items() if name in declared}
    return {**defaults, **read}


def wrong_parameters(declared: Declared, given: Mapping[str, str], recipe: Recipe) -> Iterator[str]:
    """A line for each value that is refused: by the definition's type and choices, or by the recipe's own limits."""
    for name, value in given.items():
        problem = _wrong(name, value, declared) or _refused_by_recipe(name, value, declared, recipe)
        if problem:
            yield problem


def key_for_run(values: Mapping[str, str], declared: Declared) -> str:
    """The deployed key where nothing that shapes the training is chosen, else a key of its own."""
    deployed = str(declared[CHECKPOINT_KEY]["DefaultValue"])
    chosen = {name: value for name, value in values.items() if name not in NOT_IN_CHECKPOINT_KEY}
    return checkpoint_key({CHECKPOINT_KEY: deployed, **chosen}) if chosen else deployed


def _wrong(name: str, value: str, declared: Declared) -> str | None:
    parameter = declared.get(name)
    if parameter is None:
        return f"unknown parameter {name!r}; {nearest(name, declared)}"
    if parameter["Type"] == "String" and not value.strip():
        return f"{name} must not be empty"
    if name == CHECKPOINT_KEY and not _KEY.fullmatch(value):
        return f"{name} is a folder's name: letters, digits, '-' and '_', got {value!r}"
    allowed = parameter.get("EnumValues")
    if allowed and value not in allowed:
        return f"{name} must be one of {', '.join(allowed)}, got {value!r}; {nearest(value, allowed)}"
    try:
        if name.endswith("Uri"):
            S3Uri.parse(value)
        _READERS[parameter["Type"]](value)
    except ValueError:
        wanted = "an S3 URI" if name.endswith("Uri") else f"of type {parameter['Type']}"
        return f"{name} must be {wanted}, got {value!r}"
    return None


def _refused_by_recipe(name: str, value: str, declared: Declared, recipe: Recipe) -> str | None:
    if name not in RUN_CHOICES:
        return None
    try:
        changed_recipe(recipe, {RUN_CHOICES[name]: _READERS[declared[name]["Type"]](value)})
    except ValidationError as error:
        return f"{name} {in_words(error.errors()[0])}"
    deployed = declared[name].get("DefaultValue")
    if RUN_CHOICES[name] in GATE_LIMITS and deployed is not None and float(value) > float(deployed):
        return (
            f"{name} must be at most {deployed}, the deployed recipe's limit, got {value}: a run may be stricter only; "
            f"to be more lenient, change {RUN_CHOICES[name]} in the recipe and deploy"
        )
    return None
