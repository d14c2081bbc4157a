"""The recipe: `training_code`'s own class, so that what it would refuse is refused here, with the place in the file."""

import os
from pathlib import Path
from typing import Any

from tunestack_training.recipe import Recipe

from tunestack.errors import UserError, nearest
from tunestack.settings.validation import validated
from tunestack.settings.yaml_file import read_yaml

__all__ = [
    "CONFIG_FOLDER",
    "Recipe",
    "changed_recipe",
    "find_recipe",
    "load_recipe",
    "recipe_schema",
    "recipe_value",
    "replaced_values",
]

# TUNESTACK_CONFIG names another folder: a team's own repository, or the environments of the kit's tests.
CONFIG_FOLDER = Path(os.environ.get("TUNESTACK_CONFIG") or Path(__file__).parents[2] / "config").absolute()


def recipe_schema() -> dict[str, Any]:
    """The JSON Schema of a recipe, for editors and for the reference in the docs."""
    return Recipe.model_json_schema()


def load_recipe(path: Path, *, name: str) -> Recipe:
    """Read a recipe; `name` is the file as problems call it.

    Raises:
        SettingsError: with every problem of the file.
    """
    return validated(Recipe, read_yaml(path, name=name))


def find_recipe(name: str) -> Recipe:
    """A recipe by its file, or by its name in config/recipes/.

    Raises:
        UserError: there is none, or it is refused.
    """
    folder = CONFIG_FOLDER / "recipes"
    path = Path(name) if Path(name).is_file() else folder / f"{name.removesuffix('.yaml')}.yaml"
    if not path.is_file():
        raise UserError(f"no recipe {name!r}; {nearest(name, [file.stem for file in sorted(folder.glob('*.yaml'))])}")
    return load_recipe(path, name=name)


def recipe_value(recipe: Recipe, dotted: str) -> Any:
    """The value of a field by its dotted key (`training.learning_rate`)."""
    section, key = dotted.split(".")
    return getattr(getattr(recipe, section), key)


def replaced_values(recipe: Recipe, values: dict[str, Any]) -> Recipe:
    """The recipe with other values of some fields, taken as they are: what ran, ran."""
    sections: dict[str, dict[str, Any]] = {}
    for dotted, value in values.items():
        section, key = dotted.split(".")
        sections.setdefault(section, {})[key] = value
    changed = {name: getattr(recipe, name).model_copy(update=fields) for name, fields in sections.items()}
    return recipe.model_copy(update=changed)


def changed_recipe(recipe: Recipe, values: dict[str, Any]) -> Recipe:
    """The recipe with other values of some fields, by dotted key.

    Raises:
        ValidationError: pydantic's, where a value is refused.
    """
    fields = recipe.model_dump()
    for dotted, value in values.items():
        section, key = dotted.split(".")
        fields[section][key] = value
    return Recipe.model_validate(fields, strict=True)
