"""Executions on the command line: a run from its start to the line that broke it."""

import sys
from itertools import islice
from pathlib import Path

import click
from rich.markup import escape
from rich.table import Table

from tunestack.cli.following import colored, console, follow, print_end
from tunestack.cli.options import aws_of, env_option, json_option, quiet_option, show
from tunestack.cli.run_options import allow_option, param_option, params_of, recipe_option
from tunestack.cli.staging import look_at_data, stage_run
from tunestack.executions.describe import ExecutionView, describe, list_executions
from tunestack.executions.logs import choose_step, follow_log, read_log
from tunestack.executions.preview import preview, with_data_of
from tunestack.executions.retry import retry
from tunestack.executions.start import start
from tunestack.executions.stop import stop
from tunestack.uploads import inspect_questions
from tunestack.uploads.data_set import check_data_file, check_data_files

_file = click.Path(path_type=Path)


@click.command("run")
@env_option
@click.option("--data", type=_file, multiple=True, help="Upload this data file first, and train on it.")
@click.option("--questions", type=_file, help="Upload these questions first, and answer them.")
@recipe_option
@param_option
@allow_option
@click.option("--fresh", is_flag=True, help="Train from the first step, whatever checkpoints there are.")
@click.option("--detach", is_flag=True, help="Start it and return; it goes on without this command.")
@quiet_option
@json_option
def run_command(
    env: str,
    data: tuple[Path, ...],
    questions: Path | None,
    recipe: str | None,
    params: tuple[str, ...],
    allow: tuple[str, ...],
    fresh: bool,
    detach: bool,
    quiet: bool,
    as_json: bool,
) -> None:
    """Start an execution and follow it to its end. Ctrl-C and SIGTERM stop the execution."""
    aws = aws_of(env)
    given = params_of(aws, recipe, params)
    if questions is not None:
        check_data_file(questions)
        inspect_questions(questions)
    if data:
        check_data_files(data)
        if (found := look_at_data(aws, data, given).view) is not None:
            aws = with_data_of(aws, max(found.tokens, 1))
    if data or questions:
        # What is wrong with a parameter is said before anything is uploaded.
        preview(aws, given)
    staged = stage_run(aws, data, questions, name=aws.settings.recipe.data.name)
    arn = start(aws, {**staged, **given}, allow=allow, fresh=fresh)
    execution_id = arn.rpartition("/")[2]
    if detach:
        show({"id": execution_id, "arn": arn}, as_json=as_json, text=lambda: click.echo(f"started {execution_id}"))
        return
    view = follow(aws, arn, quiet=quiet or as_json)
    show(view.to_json(), as_json=as_json, text=lambda: print_end(view))
    sys.exit(0 if view.status == "Succeeded" else 1)


@click.command("stop")
@click.argument("execution", default="latest")
@env_option
@quiet_option
@json_option
def stop_command(execution: str, env: str, quiet: bool, as_json: bool) -> None:
    """Stop an EXECUTION (default: the latest), and wait for its end. A training keeps its checkpoint."""
    aws = aws_of(env)
    arn = stop(aws, execution)
    view = follow(aws, arn, quiet=quiet or as_json)
    show(view.to_json(), as_json=as_json, text=lambda: print_end(view))


@click.command("retry")
@click.argument("execution", default="latest")
@click.option("--anyway", is_flag=True, help="Though a step failed of its data, which are read again.")
@env_option
@quiet_option
@json_option
def retry_command(execution: str, anyway: bool, env: str, quiet: bool, as_json: bool) -> None:
    """Run what failed or was stopped of an EXECUTION again, with its data and parameters; what succeeded stays."""
    aws = aws_of(env)
    arn = retry(aws, execution, anyway=anyway)
    view = follow(aws, arn, quiet=quiet or as_json)
    show(view.to_json(), as_json=as_json, text=lambda: print_end(view))
    sys.exit(0 if view.status == "Succeeded" else 1)


@click.command("executions")
@env_option
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="Show so many.")
@json_option
def executions_command(env: str, limit: int, as_json: bool) -> None:
    """List the pipeline's executions, newest first."""
    found = list(islice(list_executions(aws_of(env)), limit))

    def text() -> None:
        table = Table("id", "status", "started", box=None)
        for item in found:
            table.add_row(item["id"], colored(item["status"]), item["started"])
        console.print(table if found else "no executions yet; start one with `tunestack run`")

    show(found, as_json=as_json, text=text)


@click.command("describe")
@click.argument("execution", default="latest")
@env_option
@json_option
def describe_command(execution: str, env: str, as_json: bool) -> None:
    """Show each step's status, time, inputs, outputs and failure reason (default: the latest EXECUTION)."""
    view = describe(aws_of(env), execution)
    show(view.to_json(), as_json=as_json, text=lambda: _print_execution(view))


@click.command("logs")
@click.argument("execution", default="latest")
@click.argument("step", required=False)
@click.option("--follow", "following", is_flag=True, help="Go on until the step has ended.")
@env_option
@json_option
def logs_command(execution: str, step: str | None, following: bool, env: str, as_json: bool) -> None:
    """Print the log of a STEP of an EXECUTION; without a step, of the one that failed, else of the last."""
    aws = aws_of(env)
    if following:
        for line in follow_log(aws, execution, step):
            click.echo(line)
        return
    chosen = choose_step(describe(aws, execution), step)
    lines = read_log(aws, chosen)
    job = {"step": chosen.name, "job": chosen.job_name, "lines": lines}
    show(job, as_json=as_json, text=lambda: click.echo("\n".join(lines)))


def _print_execution(view: ExecutionView) -> None:
    console.print(f"execution {view.id}: {colored(view.status)}, {view.seconds:.0f} s since {view.started}")
    for name, chosen in view.parameters.items():
        console.print(f"  {name} = {escape(chosen)}")
    for step in view.steps:
        seconds = f"{step.seconds:.0f} s" if step.seconds is not None else ""
        console.print(f"\n{step.name}  {colored(step.status)}  {seconds}")
        for label, value in (
            ("job", step.job_name),
            ("says", step.message),
            ("reason", step.failure_reason),
            ("what helps", step.advice),
        ):
            if value:
                console.print(f"  {label}: {escape(value)}")
        for label, places in (("in", step.inputs), ("out", step.outputs)):
            for place, uri in places.items():
                console.print(f"  {label}  {place}: {escape(uri)}")
        if step.metrics:
            console.print("  metrics: " + ", ".join(f"{name} {value:.4g}" for name, value in step.metrics.items()))
    if view.status == "Failed":
        print_end(view)
