"""Options that several commands have."""

import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

from tunestack.errors import UserError

if TYPE_CHECKING:
    from tunestack.aws import Aws, Person
    from tunestack.sizing.job.fine_tuning import FineTuning
    from tunestack.sizing.kinds import Objective

_Command = TypeVar("_Command", bound=Callable[..., Any] | click.Command)
env_option = click.option(
    "--env", "env", default="local", show_default=True, help="The environment, a file in config/."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
quiet_option = click.option("--quiet", "-q", is_flag=True, help="Say nothing on the way, only how it ended.")


def _given_by_its_old_name(context: click.Context, parameter: click.Parameter, value: str | None) -> None:
    if value is not None:
        click.echo("--stack is called --trainer now; a stack is CloudFormation's", err=True)
        context.default_map = {**(context.default_map or {}), "trainer": value}


def trainer_option(names: Sequence[str], *, default: str, help: str) -> Callable[[_Command], _Command]:
    """`--trainer`, which was called `--stack`."""

    def add(command: _Command) -> _Command:
        named = click.option("--trainer", type=click.Choice(names), default=default, show_default=True, help=help)
        # Eager, so that it is known before the other is looked at.
        old = click.option("--stack", hidden=True, expose_value=False, is_eager=True, callback=_given_by_its_old_name)
        return named(old(command))

    return add


def given(context: click.Context) -> frozenset[str]:
    """The options that a command was given, whichever name of theirs was used."""
    sources = (ParameterSource.COMMANDLINE, ParameterSource.DEFAULT_MAP)
    return frozenset(name for name in context.params if context.get_parameter_source(name) in sources)


def aws_of(env: str, *, acts_as: "Person" = "trainer") -> "Aws":
    """The environment's AWS, for who trains there unless told otherwise."""
    from tunestack.aws import Aws
    from tunestack.settings.loading import load_settings

    return Aws(load_settings(env), acts_as=acts_as)


def check_region(region: str) -> None:
    """See that prices of the region are known.

    Raises:
        UserError: they aren't.
    """
    from tunestack.catalogue.prices import regions

    if region not in regions():
        raise UserError(f"no prices of region {region!r}; known: {', '.join(regions())}")


def check_together(*, objective: str, method: str, loss: str | None, optimizer: str | None) -> None:
    """See that loss and optimizer mean something for the objective and the method.

    Raises:
        UserError: one doesn't.
    """
    if loss and objective == "reward":
        raise UserError("--loss means nothing with --objective reward, whose head has one output")
    if (optimizer or "").startswith("galore") and method not in ("full", "frozen"):
        raise UserError("--optimizer galore goes with --method full or frozen: adapters are of low rank already")


def check_trainer(job: "FineTuning", objective: "Objective") -> None:
    """See that the trainer of a job runs it.

    Raises:
        UserError: it has no such thing.
    """
    from tunestack.sizing.job.ability import why_not

    if reason := why_not(job, objective):
        raise UserError(f"--trainer {job.trainer.name} {reason}")


def show(value: Any, *, as_json: bool, text: Callable[[], None]) -> None:
    """Print JSON, or the text for people."""
    if as_json:
        click.echo(json.dumps(value, indent=2))
    else:
        text()
