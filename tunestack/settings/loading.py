"""The only reader of `config/`: an environment's file and its recipe, validated whole."""

import re
from dataclasses import dataclass
from pathlib import Path

from tunestack.errors import nearest
from tunestack.layout import Names, StackName
from tunestack.settings.environment import Environment
from tunestack.settings.images import PYTHON_BASE
from tunestack.settings.neighbours import Neighbour, neighbour_named, neighbours_fed_by, origins_of
from tunestack.settings.problems import Problem, SettingsError
from tunestack.settings.recipe import CONFIG_FOLDER, Recipe, load_recipe
from tunestack.settings.regional import regional_problems
from tunestack.settings.validation import validated
from tunestack.settings.yaml_file import YamlFile, read_yaml

_NAME = re.compile(r"[a-z][a-z0-9-]{0,19}")
_ACCOUNT = re.compile(r"(?:\b|:)(\d{12})(?=\.dkr\.ecr\.|:organization/)")
DATA_MAY_BE_DELETED_IN = frozenset({"dev", "local"})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All settings of one environment: what the stacks and the pipeline are built from."""

    name: str
    environment: Environment
    recipe: Recipe
    promoted_from: Neighbour | None = None
    # The source of what is promoted here first, then that one's, and so on: each may have made the image.
    origins: tuple[Neighbour, ...] = ()
    promotes_to: tuple[Neighbour, ...] = ()
    # Wherever a version of this environment may come to run, by way of others, too.
    runs_in: tuple[Neighbour, ...] = ()

    @property
    def file(self) -> str:
        """The environment's file, as problems name it."""
        return f"config/{self.name}.yaml"

    @property
    def recipe_file(self) -> str:
        """The recipe's file, as problems name it."""
        return f"config/recipes/{self.environment.recipe}"

    @property
    def names(self) -> Names:
        """The names of this environment's stacks, pipeline, group and repositories."""
        path = self.environment.security.role_path
        return Names(project=self.environment.project, environment=self.name, role_path=path)

    def region_of(self, stack: StackName) -> str:
        """The region that one of the stacks goes to: the environment's, but for a budget that it can't make."""
        elsewhere = self.environment.budget.alerts_region if stack is StackName.OBSERVABILITY else None
        return elsewhere or self.environment.region

    @property
    def partner_accounts(self) -> frozenset[str]:
        """The other accounts that these settings name: of origins, targets, images, organisation and delivery."""
        neighbours = (*self.origins, *self.runs_in, *self.promotes_to)
        delivery = self.environment.security.delivery_account
        images = self.environment.images
        elsewhere = (
            f"{images.training_base_image} {images.inference_base_image} {self.environment.registry.organization_arn}"
        )
        named = {
            *(neighbour.account for neighbour in neighbours),
            *_ACCOUNT.findall(elsewhere),
            *([delivery] if delivery else []),
        }
        return frozenset(named - {self.environment.account})

    @property
    def takes_exams_along(self) -> bool:
        """Whether a promotion to here takes along what the version was judged by."""
        return bool(self.environment.promotion.accepted_exams)

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
    if not _NAME.fullmatch(name):
        message = f"an environment's name is in its stacks' names: lower-case letters, digits and '-', got {name!r}"
        raise SettingsError([Problem(file="config/", message=message)])
    source = read_yaml(config / f"{name}.yaml", name=f"config/{name}.yaml")
    problems: list[Problem] = []
    environment = recipe = None
    try:
        environment = validated(Environment, source)
        problems.extend(regional_problems(source, environment))
    except SettingsError as error:
        problems.extend(error.problems)
    recipe = _read_recipe(source, config, problems)
    if environment is None or recipe is None or problems:
        raise SettingsError(problems)
    model_config = environment.costs.config_json
    if model_config is not None and not Path(model_config).is_file():
        raise SettingsError([source.problem(("costs", "config_json"), f"no such file: {model_config!r}")])
    settings = Settings(
        name=name,
        environment=environment,
        recipe=recipe,
        promoted_from=neighbour_named(name, source, environment, config),
        origins=origins_of(name, environment, config),
        promotes_to=neighbours_fed_by(name, environment, config),
        runs_in=neighbours_fed_by(name, environment, config, directly=False),
    )
    if (
        recipe.model.attn_implementation == "flash_attention_2"
        and environment.images.training_base_image == PYTHON_BASE
    ):
        chosen = read_yaml(config / "recipes" / environment.recipe, name=settings.recipe_file)
        message = (
            "flash-attn isn't in the image that images.training_base_image names, nor in the kit's packages; choose "
            "sdpa, or a base image that has it"
        )
        raise SettingsError([chosen.problem(("model", "attn_implementation"), message)])
    return settings


def _read_recipe(source: YamlFile, config: Path, problems: list[Problem]) -> Recipe | None:
    chosen = source.data.get("recipe")
    if not isinstance(chosen, str) or not chosen:
        return None
    folder = config / "recipes"
    if Path(chosen).name != chosen:
        # What is wrong with the name is said; a file elsewhere isn't read.
        return None
    if not (folder / chosen).is_file():
        known = [file.name for file in folder.glob("*.yaml")]
        problems.append(source.problem(("recipe",), f"no recipe {chosen!r}; {nearest(chosen, known)}"))
        return None
    try:
        return load_recipe(folder / chosen, name=f"config/recipes/{chosen}")
    except SettingsError as error:
        problems.extend(error.problems)
        return None
