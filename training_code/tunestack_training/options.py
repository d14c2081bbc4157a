"""The recipe as a job gets it: dotted keys and strings, or the file that the training left."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from pydantic import ValidationError

from tunestack_training.failure import JobError
from tunestack_training.recipe import Recipe

RECIPE_FILE = "recipe.json"


def recipe_from_options(options: Mapping[str, str], *, base: dict[str, Any] | None = None) -> Recipe:
    """The recipe that `section.key` → value gives, over the values of a base.

    Raises:
        JobError: with every problem of every key.
    """
    values: dict[str, dict[str, Any]] = {section: dict(fields) for section, fields in (base or {}).items()}
    for dotted, text in options.items():
        section, _, key = dotted.partition(".")
        values.setdefault(section, {})[key] = _read(section, key, text)
    try:
        return Recipe.model_validate(values)
    except ValidationError as error:
        lines = [f"{'.'.join(map(str, item['loc']))}: {item['msg']}, got {item['input']!r}" for item in error.errors()]
        raise JobError("the recipe can't be used: " + "; ".join(lines)) from None


def read_recipe(folder: Path) -> dict[str, Any]:
    """The recipe that a training left beside its adapter.

    Raises:
        JobError: there is none.
    """
    try:
        values: dict[str, Any] = json.loads((folder / RECIPE_FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise JobError(f"{folder} holds no {RECIPE_FILE}: it is not the output of a training of this kit") from None
    return values


def _read(section: str, key: str, text: str) -> Any:
    """A string as the field's type wants it: text stays, all else is read as JSON where it is JSON."""
    field = Recipe.model_fields.get(section)
    model = field.annotation if field else None
    fields = getattr(model, "model_fields", {})
    if key in fields and (fields[key].annotation is str or str in get_args(fields[key].annotation)):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text
