"""Options of the commands that start an execution."""

import click

from tunestack.aws import Aws
from tunestack.errors import UserError
from tunestack.pipeline.recipe_parameters import run_choices
from tunestack.planning.checks import CHECKS
from tunestack.settings.recipe import find_recipe

param_option = click.option(
    "--param", "params", multiple=True, metavar="NAME=VALUE", help="Choose a pipeline parameter."
)
recipe_option = click.option(
    "--recipe", metavar="NAME", help="Train as this recipe of config/recipes/ says, where a run can choose that."
)
allow_option = click.option(
    "--allow", multiple=True, type=click.Choice(CHECKS), help="Start although this check fails."
)


def params_of(aws: Aws, recipe: str | None, given: tuple[str, ...]) -> dict[str, str]:
    """The pipeline parameters that `--recipe` and `--param` choose, by name; the latter win.

    Raises:
        UserError: one is of another form, or the recipe differs from the deployed one where only a deployment helps.
    """
    return {**({} if recipe is None else _params_of_recipe(aws, recipe)), **parse_params(given)}


def parse_params(given: tuple[str, ...]) -> dict[str, str]:
    """The values of `--param NAME=VALUE`, by name.

    Raises:
        UserError: one of them is of another form.
    """
    chosen = {}
    for param in given:
        name, separator, value = param.partition("=")
        if not separator or not name:
            raise UserError(f"--param must be NAME=VALUE, got {param!r}")
        chosen[name] = value
    return chosen


def _params_of_recipe(aws: Aws, name: str) -> dict[str, str]:
    parameters, fixed = run_choices(aws.settings.recipe, find_recipe(name))
    if fixed:
        raise UserError(
            f"a run can't become {name}: {aws.settings.recipe_file}, which is deployed, differs in {', '.join(fixed)}; "
            f"set `recipe: {name.removesuffix('.yaml')}.yaml` in {aws.settings.file} and deploy"
        )
    return parameters
