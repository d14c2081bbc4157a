"""`tunestack tune`: from a data file to answers, in one command; each part is also a command of its own."""

import json
import re
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from tunestack.aws import Aws
from tunestack.cli.answers import print_answers
from tunestack.cli.following import console, follow, print_end
from tunestack.cli.options import aws_of, env_option, json_option, quiet_option
from tunestack.cli.run_options import allow_option, param_option, params_of, recipe_option
from tunestack.cli.staging import look_at_data, print_data_set, print_questions, stage_base_model, stage_run
from tunestack.costs.run import RunCost
from tunestack.executions.describe import ExecutionView
from tunestack.executions.errors import ExecutionError
from tunestack.executions.inputs import missing_inputs
from tunestack.executions.parameters import declared_parameters, parameter_values
from tunestack.executions.preview import preview, with_data_of
from tunestack.executions.results import GATE, answers, evaluation, gate_in_words, right_in_words, sets_of
from tunestack.executions.start import deployed_definition, start
from tunestack.jobs import BASE_MODEL_URI, TRANSFORM_INPUT_URI
from tunestack.money import usd
from tunestack.uploads import inspect_questions
from tunestack.uploads.data_set import check_data_file, check_data_files
from tunestack.uploads.upload import check_name

_file = click.Path(path_type=Path)


@click.command("tune")
@click.argument("files", nargs=-1, required=True, type=_file, metavar="DATA…")
@click.option("--questions", type=_file, help="JSON Lines that both models answer, with an instruction each.")
@click.option("--name", help="The data set's name; default: the first file's.")
@recipe_option
@param_option
@allow_option
@click.option("--fresh", is_flag=True, help="Train from the first step, whatever checkpoints there are.")
@click.option("--yes", is_flag=True, help="Don't ask before money is spent.")
@env_option
@quiet_option
@json_option
def tune_command(
    files: tuple[Path, ...],
    questions: Path | None,
    name: str | None,
    recipe: str | None,
    params: tuple[str, ...],
    allow: tuple[str, ...],
    fresh: bool,
    yes: bool,
    env: str,
    quiet: bool,
    as_json: bool,
) -> None:
    """Tune the recipe's model on DATA files (JSON Lines, JSON, CSV), and show its answers beside the base's.

    Looks at the data, uploads what isn't there yet, says what the run will cost and asks, runs, and follows. On this
    machine (--env local, the default) nothing is paid and nothing asked.
    """
    aws = aws_of(env)
    # Everything that can be refused is refused before anything is uploaded.
    deployed_definition(aws)
    check_data_files(files)
    if questions is not None:
        check_data_file(questions)
    given = params_of(aws, recipe, params)
    look = look_at_data(aws, files, given)
    asked = inspect_questions(questions) if questions else None
    quiet = quiet or as_json
    if not quiet:
        print_data_set(look)
        if asked is not None:
            print_questions(asked)
    name = name or _name_of(files[0])
    check_name(name)
    if look.view is not None:
        aws = with_data_of(aws, max(look.view.tokens, 1))
    if questions is None:
        _refuse_without_questions(aws, given)
    cost = preview(aws, given)
    _agree(aws, cost, yes=yes, quiet=quiet, can_ask=not as_json and sys.stdin.isatty())
    if BASE_MODEL_URI.name not in given:
        stage_base_model(aws)
    staged = stage_run(aws, files, questions, name=name)
    arn = start(aws, {**staged, **given}, allow=allow, fresh=fresh)
    ended = follow(aws, arn, quiet=quiet)
    if as_json:
        found = [asdict(item) for item in _answers(aws, ended)]
        said = _evaluation(aws, ended)
        value = {"execution": ended.to_json(), "scores": sets_of(said), "gate": said.get(GATE), "answers": found}
        click.echo(json.dumps(value, indent=2))
    else:
        print_end(ended)
        _print_result(aws, ended)
    sys.exit(0 if ended.status == "Succeeded" else 1)


def _refuse_without_questions(aws: Aws, given: Mapping[str, str]) -> None:
    """The batch transform answers questions at the end: without any, all would be refused once it is uploaded.

    Raises:
        ExecutionError: none are there, or more than one file's.
    """
    values = parameter_values(declared_parameters(deployed_definition(aws)), given)
    for line in missing_inputs(aws, values, given=given):
        if line.startswith(TRANSFORM_INPUT_URI.name):
            raise ExecutionError(f"{line}; or give --questions FILE")


def _agree(aws: Aws, cost: RunCost, *, yes: bool, quiet: bool, can_ask: bool) -> None:
    """Say what it costs, and ask where it does.

    Raises:
        ExecutionError: nobody is there to ask, and --yes isn't given.
    """
    where = "on AWS this run would cost" if aws.is_local else "the run will cost"
    text = f"{where} about {usd(cost.expected_usd)} ({usd(cost.low_usd)} to at most {usd(cost.ceiling_usd)})"
    if not quiet:
        for job in cost.jobs:
            hours = "unknown"
            if job.expected_hours is not None:
                hours = (
                    f"about {job.expected_hours * 60:,.0f} min"
                    if job.expected_hours < 2
                    else f"{job.expected_hours:,.1f} h"
                )
            console.print(f"  {job.step:<15} {job.instance_type:<18} {hours:<16} {usd(job.expected_usd)}")
        console.print(f"{text}{'; on this machine nothing is paid' if aws.is_local else ''}")
    if aws.is_local or yes:
        return
    if not can_ask:
        raise ExecutionError(f"{text}: nobody is there to ask; give --yes")
    click.confirm(f"{text}; start it?" if quiet else "start it?", abort=True)


def _print_result(aws: Aws, view: ExecutionView) -> None:
    found = _evaluation(aws, view)
    if (heldout := found.get("heldout")) and (right := right_in_words(heldout)):
        console.print(f"answers right   {right} held-out rows (compared by {heldout['compared_by']})")
    for name, what in (("heldout", "held-out loss"), ("general", "general loss")):
        if name in found:
            base, tuned = found[name]["base"]["loss"], found[name]["tuned"]["loss"]
            console.print(f"{what:<15} {base:.3f} → {tuned:.3f} on {found[name]['rows']} rows (lower is better)")
    if said := gate_in_words(found):
        color = {"passed": "green", "rejected": "red"}.get(said.partition(";")[0], "yellow")
        console.print(f"{'gate':<15} [{color}]{said}[/{color}]")
    if items := _answers(aws, view):
        print_answers(items, limit=5)
        console.print(
            f"all of them: tunestack answers {view.id}{'' if aws.is_local else f' --env {aws.settings.name}'}"
        )


def _name_of(file: Path) -> str:
    """A data set's name after its file's: what a name may not have is a '-'."""
    return re.sub(r"[^\w.\-]+", "-", file.stem, flags=re.ASCII).strip("-._")[:100] or "data"


def _evaluation(aws: Aws, view: ExecutionView) -> dict[str, Any]:
    try:
        return evaluation(aws, view)
    except ExecutionError:
        return {}


def _answers(aws: Aws, view: ExecutionView) -> list[Any]:
    try:
        return answers(aws, view)
    except ExecutionError:
        return []
