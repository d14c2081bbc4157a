"""Options that several commands have."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from tunestack.errors import UserError

if TYPE_CHECKING:
    from tunestack.aws import Aws, Person
    from tunestack.sizing.job.fine_tuning import FineTuning
    from tunestack.sizing.kinds import Objective

env_option = click.option(
    "--env", "env", default="local", show_default=True, help="The environment, a file in config/."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
quiet_option = click.option("--quiet", "-q", is_flag=True, help="Say nothing on the way, only how it ended.")


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


def check_stack(job: "FineTuning", objective: "Objective") -> None:
    """See that the stack of a job runs it.

    Raises:
        UserError: it has no such thing.
    """
    from tunestack.sizing.job.ability import why_not

    if reason := why_not(job, objective):
        raise UserError(f"--stack {job.stack.name} {reason}")


def show(value: Any, *, as_json: bool, text: Callable[[], None]) -> None:
    """Print JSON, or the text for people."""
    if as_json:
        click.echo(json.dumps(value, indent=2))
    else:
        text()
