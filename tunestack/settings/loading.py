"""The only reader of `config/`: an environment's file and its recipe, validated whole."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from tunestack.errors import nearest
from tunestack.settings.environment import Environment
from tunestack.settings.problems import Problem, SettingsError
from tunestack.settings.recipe import Recipe, load_recipe
from tunestack.settings.yaml_file import KeyPath, YamlFile, read_yaml

CONFIG_FOLDER = Path(__file__).parents[2] / "config"
DATA_MAY_BE_DELETED_IN = frozenset({"dev", "local"})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All settings of one environment: what the stacks and the pipeline are built from."""

    name: str
    environment: Environment
    recipe: Recipe

    @property
    def prefix(self) -> str:
        """What the names of this environment's stacks and pipeline begin with."""
        return f"{self.environment.project}-{self.name}"

    @property
    def deletes_data(self) -> bool:
        """Whether destroying the stacks destroys data: the setting says so and the environment allows it."""
        return self.environment.storage.delete_data_on_destroy and self.name in DATA_MAY_BE_DELETED_IN


def environment_names(config: Path = CONFIG_FOLDER) -> list[str]:
    """The environments that `config/` has a file for."""
    return sorted(file.stem for file in config.glob("*.yaml"))


def load_settings(name: str, *, config: Path = CONFIG_FOLDER) -> Settings:
    """Read `config/<name>.yaml` and the recipe that it names.

    Raises:
        SettingsError: with every problem of both files.
    """
    if name not in environment_names(config):
        hint = nearest(name, environment_names(config))
        raise SettingsError([Problem(file="config/", message=f"no environment {name!r}; {hint}")])
    source = read_yaml(config / f"{name}.yaml", name=f"config/{name}.yaml")
    problems: list[Problem] = []
    environment = _validate_environment(source, problems)
    recipe = _read_recipe(source, config, problems)
    if environment is None or recipe is None or problems:
        raise SettingsError(problems)
    return Settings(name=name, environment=environment, recipe=recipe)


def _validate_environment(source: YamlFile, problems: list[Problem]) -> Environment | None:
    try:
        return Environment.model_validate(source.data)
    except ValidationError as error:
        for detail in error.errors():
            path = tuple(part for part in detail["loc"] if part != "[key]")
            problems.append(source.problem(path, _message(path, dict(detail))))
        problems.sort(key=lambda problem: (problem.line or 0, problem.key))
        return None


def _read_recipe(source: YamlFile, config: Path, problems: list[Problem]) -> Recipe | None:
    chosen = source.data.get("recipe")
    if not isinstance(chosen, str) or not chosen:
        return None
    folder = config / "recipes"
    if not (folder / chosen).is_file():
        known = [file.name for file in folder.glob("*.yaml")]
        problems.append(source.problem(("recipe",), f"no recipe {chosen!r}; {nearest(chosen, known)}"))
        return None
    try:
        return load_recipe(folder / chosen, name=f"config/recipes/{chosen}")
    except SettingsError as error:
        problems.extend(error.problems)
        return None


def _message(path: KeyPath, detail: dict[str, Any]) -> str:
    kind, value, context = detail["type"], detail["input"], detail.get("ctx", {})
    if kind == "extra_forbidden":
        return f"unknown key; {nearest(str(path[-1]), _fields_at(path[:-1]))}"
    if kind == "missing":
        return "missing"
    if kind == "value_error":
        return str(context["error"])
    if kind == "literal_error":
        return f"must be one of {context['expected']}, got {value!r}"
    message: str = detail["msg"]
    return f"{message[0].lower()}{message[1:]}, got {value!r}"


def _fields_at(path: KeyPath) -> list[str]:
    model: type[BaseModel] = Environment
    for part in path:
        annotation = model.model_fields[str(part)].annotation
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            return []
        model = annotation
    return [field.alias or name for name, field in model.model_fields.items()]
