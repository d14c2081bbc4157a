"""The recipe, validated by the schema that training_code generates: refused here what it would refuse."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, ValidationError
from jsonschema.exceptions import best_match

from tunestack.errors import nearest
from tunestack.settings.problems import Problem, SettingsError
from tunestack.settings.yaml_file import YamlFile, read_yaml

SCHEMA_FILE = Path(__file__).parents[2] / "training_code" / "recipe.schema.json"
Recipe = dict[str, dict[str, Any]]


@cache
def recipe_schema() -> dict[str, Any]:
    """The JSON Schema of a recipe."""
    schema: dict[str, Any] = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    return schema


def load_recipe(path: Path, *, name: str) -> Recipe:
    """Read a recipe and fill in its defaults.

    Raises:
        SettingsError: with every problem of the file.
    """
    source = read_yaml(path, name=name)
    validator = Draft202012Validator(recipe_schema())
    problems = [problem for error in validator.iter_errors(source.data) for problem in _problems(source, error)]
    if problems:
        raise SettingsError(sorted(problems, key=lambda problem: (problem.line or 0, problem.key)))
    return with_defaults(source.data)


def with_defaults(recipe: dict[str, Any]) -> Recipe:
    """The recipe with the schema's default for each key that it leaves out."""
    filled: Recipe = {}
    for section, reference in recipe_schema()["properties"].items():
        fields = _section(reference)["properties"]
        given = recipe.get(section, {})
        filled[section] = {
            key: given.get(key, field.get("default"))
            for key, field in fields.items()
            if key in given or "default" in field
        }
    return filled


def field_schema(dotted: str) -> dict[str, Any]:
    """The schema of one field, by its dotted key (`training.learning_rate`); of number or "auto", the number's."""
    section, key = dotted.split(".")
    field: dict[str, Any] = _section(recipe_schema()["properties"][section])["properties"][key]
    numbers = [choice for choice in field.get("anyOf", ()) if choice.get("type") in ("integer", "number")]
    return numbers[0] if numbers else field


def _section(reference: dict[str, Any]) -> dict[str, Any]:
    section: dict[str, Any] = recipe_schema()["$defs"][reference["$ref"].rsplit("/", 1)[1]]
    return section


def _problems(source: YamlFile, error: ValidationError) -> list[Problem]:
    path = tuple(error.absolute_path)
    wanted: Any = error.validator_value
    if error.validator == "additionalProperties":
        schema: Any = error.schema
        known = list(schema["properties"])
        instance: Any = error.instance
        unknown = [key for key in instance if key not in known]
        return [source.problem((*path, key), f"unknown key; {nearest(str(key), known)}") for key in unknown]
    if error.validator == "required":
        instance = error.instance
        missing = [key for key in wanted if key not in instance]
        return [source.problem((*path, key), "missing") for key in missing]
    if error.context:
        error = best_match(error.context) or error
    return [source.problem(path, f"{_wanted(error)}, got {error.instance!r}")]


_LIMITS = {
    "exclusiveMinimum": "must be greater than {}",
    "minimum": "must be at least {}",
    "exclusiveMaximum": "must be less than {}",
    "maximum": "must be at most {}",
    "type": "must be of type {}",
    "pattern": "must match {}",
    "minLength": "must have at least {} characters",
    "maxLength": "must have at most {} characters",
    "minItems": "must have at least {} items",
    "const": "must be {!r}",
}


def _wanted(error: ValidationError) -> str:
    wanted: Any = error.validator_value
    if error.validator == "enum":
        return f"must be one of {', '.join(map(repr, wanted))}"
    return _LIMITS.get(str(error.validator), str(error.validator) + " {}").format(error.validator_value)
