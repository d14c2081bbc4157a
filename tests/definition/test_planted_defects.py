"""Defects of every kind at every place of a deployed definition: each brings a finding that wasn't there before."""

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tunestack.definition.finding import Level
from tunestack.definition.template import definition_of_template
from tunestack.definition.validation import validate

Path = tuple[Any, ...]
# What people name themselves: any key is right there.
FREE = ("HyperParameters", "Environment", "CustomerMetadataProperties", "Metadata")
LEAST_CAUGHT = 0.98


def places(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    yield path, value
    if isinstance(value, dict):
        for key, item in value.items():
            yield from places(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from places(item, (*path, index))


def parent(definition: Any, path: Path) -> Any:
    for part in path[:-1]:
        definition = definition[part]
    return definition


def misspelt_keys(good: Any) -> Iterator[tuple[str, Any]]:
    for path, _ in places(good):
        if path and isinstance(path[-1], str) and not any(part in FREE for part in path[:-1]):
            broken = copy.deepcopy(good)
            holder = parent(broken, path)
            holder[f"{path[-1]}x"] = holder.pop(path[-1])
            yield f"key {path}", broken


def wrong_types(good: Any) -> Iterator[tuple[str, Any]]:
    for path, value in places(good):
        if path and isinstance(value, (str, int, float, bool)) and "Metadata" not in path:
            broken = copy.deepcopy(good)
            parent(broken, path)[path[-1]] = [value]
            yield f"type {path}", broken


def broken_references(good: Any) -> Iterator[tuple[str, Any]]:
    for path, value in places(good):
        if path and path[-1] == "Get":
            for change in (value + "X", value.replace(".", "", 1), "Steps.Nowhere.X", "Parameters.Nothing"):
                broken = copy.deepcopy(good)
                parent(broken, path)["Get"] = change
                yield f"reference {path} {change}", broken


def steps_left_out(good: Any) -> Iterator[tuple[str, Any]]:
    """Of steps that others need; the others would be right without it."""
    for index, step in enumerate(good["Steps"]):
        if f"Steps.{step['Name']}." in json.dumps(good):
            broken = copy.deepcopy(good)
            del broken["Steps"][index]
            yield f"without {step['Name']}", broken


KINDS: dict[str, Callable[[Any], Iterator[tuple[str, Any]]]] = {
    "misspelt keys": misspelt_keys,
    "wrong types": wrong_types,
    "broken references": broken_references,
    "steps left out": steps_left_out,
}


@pytest.mark.parametrize("kind", KINDS)
def test_defects_bring_new_findings(kind: str, assembly: Any) -> None:
    good = json.loads(definition_of_template(assembly("prod").template("pipeline")))
    before = {str(finding) for finding in validate(good)}
    planted = list(KINDS[kind](good))
    missed = [
        name for name, broken in planted if not {str(f) for f in validate(broken) if f.level is not Level.NOTE} - before
    ]
    assert len(missed) <= (1 - LEAST_CAUGHT) * len(planted), f"{len(missed)} of {len(planted)}: {missed[:20]}"
