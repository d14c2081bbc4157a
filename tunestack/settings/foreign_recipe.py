"""Another trainer's recipe as one of this kit: each value at its place, and what becomes of those that have none."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tunestack.errors import UserError
from tunestack.settings.foreign_keys import NO_PLACE, PLACES, NotTrainedError, converted
from tunestack.settings.problems import SettingsError
from tunestack.settings.recipe import Recipe
from tunestack.settings.validation import validated
from tunestack.settings.yaml_file import YamlFile, read_yaml

_SECTIONS = {name: tuple(info.annotation.model_fields) for name, info in Recipe.model_fields.items() if info.annotation}
_FIELDS = {f"{section}.{key}" for section, keys in _SECTIONS.items() for key in keys}
# Trainers name their fields without a section; the evaluation, the packing and the server have names of their own.
_BY_NAME = {
    key: f"{section}.{key}" for section in ("model", "quantization", "lora", "training") for key in _SECTIONS[section]
}
_LINE = "# yaml-language-server: $schema=../../training_code/recipe.schema.json\n"


@dataclass(frozen=True, kw_only=True)
class Imported:
    """A recipe's text, and what became of each key that isn't in it as it was."""

    text: str
    notes: list[str] = field(default_factory=list)


def import_recipe(path: Path) -> Imported:
    """Read another trainer's recipe.

    Raises:
        UserError: it is for a method that isn't trained here, or what came of it is refused; each key is named.
    """
    source = read_yaml(path, name=str(path))
    values: dict[str, Any] = {}
    notes: list[str] = []
    try:
        for key, value in _flat(source.data).items():
            _place(key, value, values, notes)
    except NotTrainedError as error:
        raise UserError(f"{path}: {error}") from None
    if "quantization.load_in_4bit" not in values and source.data.get("finetuning_type") == "lora":
        values["quantization.load_in_4bit"] = False
        notes.append("quantization.load_in_4bit: False, as finetuning_type: lora alone leaves the base as it is")
    if "model.revision" not in values:
        values["model.revision"] = "main"
        notes.append("model.revision: main, as none is named: pin a commit of the hub")
    if "data.name" not in values:
        values["data.name"] = "data"
        notes.append("data.name: data, as none is named: what `tunestack data add --name` uploads it under")
    sections: dict[str, dict[str, Any]] = {}
    for dotted in sorted(values, key=_order):
        section, key = dotted.split(".")
        sections.setdefault(section, {})[key] = values[dotted]
    try:
        validated(Recipe, YamlFile(name=str(path), data=sections, lines={}))
    except SettingsError as error:
        raise UserError(f"what comes of it is refused:\n{error}") from None
    return Imported(text=_LINE + yaml.safe_dump(sections, sort_keys=False), notes=notes)


def _flat(data: dict[str, Any]) -> dict[str, Any]:
    """The keys of a file, dotted where they stand in a section of ours."""
    found: dict[str, Any] = {}
    for key, value in data.items():
        if key in _SECTIONS and isinstance(value, dict):
            found |= {f"{key}.{name}": item for name, item in value.items()}
        else:
            found[key] = value
    return found


def _place(key: str, value: Any, values: dict[str, Any], notes: list[str]) -> None:
    name = key.rpartition(".")[2]
    made = converted(name, value)
    dotted = key if key in _FIELDS else PLACES.get(name) or _BY_NAME.get(name)
    if dotted is None or made is None:
        reason = NO_PLACE.get(name, "nothing here is called so: look whether it matters")
        notes.append(f"{key}: left out; {reason}")
        return
    field_type = type(_default(dotted))
    if field_type is int and isinstance(made, float) and made.is_integer():
        made = int(made)
    if dotted in ("model.name_or_path", "model.revision", "data.name"):
        made = str(value) if dotted != "data.name" or key in _FIELDS else made
    values[dotted] = made
    if dotted != key or made != value:
        notes.append(f"{key}: {value} → {dotted}: {made}")


def _default(dotted: str) -> Any:
    section, key = dotted.split(".")
    annotation: Any = Recipe.model_fields[section].annotation
    return annotation.model_fields[key].default


def _order(dotted: str) -> tuple[int, int]:
    section, key = dotted.split(".")
    return list(_SECTIONS).index(section), _SECTIONS[section].index(key)
