"""`tunestack settings`: the configuration files."""

import json

import click

from tunestack.catalogue.prices import find_price
from tunestack.catalogue.prices import regions as priced_regions
from tunestack.cli.lazy import SuggestingGroup
from tunestack.cli.options import env_option
from tunestack.planning.blueprint import blueprint_of
from tunestack.planning.checks import CHECKS, OF_COMMAND, failed_checks, waive
from tunestack.settings.loading import load_settings
from tunestack.settings.recipe import recipe_schema
from tunestack.settings.schema import environment_schema


@click.group(cls=SuggestingGroup)
def settings() -> None:
    """Check the settings, and get their JSON Schema."""


@settings.command()
@click.option("--recipe", is_flag=True, help="The recipes' schema, not the environments'.")
def schema(recipe: bool) -> None:
    """Print the JSON Schema, for editors."""
    click.echo(json.dumps(recipe_schema() if recipe else environment_schema(), indent=2))


@settings.command()
@env_option
@click.option("--allow", multiple=True, type=click.Choice(CHECKS), help="Let this check fail, as `cdk -c allow` does.")
def check(env: str, allow: tuple[str, ...]) -> None:
    """Validate an environment's file and recipe, and what a synthesis asks of them: model, memory, a run's budget."""
    loaded = load_settings(env)
    for line in waive(failed_checks(blueprint_of(loaded)), allow=allow, by=OF_COMMAND):
        click.echo(f"warning: {line}", err=True)
    click.echo(f"config/{env}.yaml and config/recipes/{loaded.environment.recipe} are good")
    region = loaded.environment.region
    if region not in priced_regions():
        click.echo(
            f"warning: no price is known in {region}: costs will be unknown, and a budget can't be kept; "
            f"`tunestack prices refresh --region {region}` reads them",
            err=True,
        )
    elif find_price("KMS", "Customer managed key", region=region) is None:
        click.echo(
            f"warning: what the stacks cost a month isn't known in {region}: a month's budget counts the runs alone",
            err=True,
        )
