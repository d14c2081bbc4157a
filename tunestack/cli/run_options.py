"""Options of the commands that start an execution."""

import click

from tunestack.errors import UserError
from tunestack.planning.checks import CHECKS

param_option = click.option(
    "--param", "params", multiple=True, metavar="NAME=VALUE", help="Choose a pipeline parameter."
)
allow_option = click.option(
    "--allow", multiple=True, type=click.Choice(CHECKS), help="Start although this check fails."
)


def params_of(given: tuple[str, ...]) -> dict[str, str]:
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
