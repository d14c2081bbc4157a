"""Executions on the command line: a run from its start to the line that broke it."""

import sys
import time
from itertools import islice

import click
from rich.console import Console
from rich.table import Table

from tunestack.aws import Aws
from tunestack.cli.options import aws_of, env_option, json_option, show
from tunestack.executions.describe import ENDED, ExecutionView, StepView, describe, list_executions
from tunestack.executions.errors import ExecutionError
from tunestack.executions.logs import choose_step, follow_log, read_log
from tunestack.executions.retry import retry
from tunestack.executions.start import start
from tunestack.executions.stop import stop
from tunestack.planning.checks import CHECKS

FOLLOW_SECONDS = 1.0
_COLORS = {"Succeeded": "green", "Failed": "red", "Stopped": "yellow", "Stopping": "yellow", "Executing": "cyan"}
console = Console(highlight=False, soft_wrap=True)


@click.command("run")
@env_option
@click.option("--param", "params", multiple=True, metavar="NAME=VALUE", help="Choose a pipeline parameter.")
@click.option("--allow", multiple=True, type=click.Choice(CHECKS), help="Start although this check fails.")
@click.option("--fresh", is_flag=True, help="Train from the first step, whatever checkpoints there are.")
@click.option("--detach", is_flag=True, help="Start it and return; it goes on without this command.")
@json_option
def run_command(
    env: str, params: tuple[str, ...], allow: tuple[str, ...], fresh: bool, detach: bool, as_json: bool
) -> None:
    """Start an execution and follow it to its end. Ctrl-C stops the execution."""
    aws = aws_of(env)
    arn = start(aws, _parse(params), allow=allow, fresh=fresh)
    execution_id = arn.rpartition("/")[2]
    if detach:
        show({"id": execution_id, "arn": arn}, as_json=as_json, text=lambda: click.echo(f"started {execution_id}"))
        return
    view = follow(aws, arn, quiet=as_json)
    show(view.to_json(), as_json=as_json, text=lambda: _print_end(view))
    sys.exit(0 if view.status == "Succeeded" else 1)


@click.command("stop")
@click.argument("execution", default="latest")
@env_option
@json_option
def stop_command(execution: str, env: str, as_json: bool) -> None:
    """Stop an EXECUTION (default: the latest), and wait for its end. A training keeps its checkpoint."""
    aws = aws_of(env)
    arn = stop(aws, execution)
    view = follow(aws, arn, quiet=as_json)
    show(view.to_json(), as_json=as_json, text=lambda: _print_end(view))


@click.command("retry")
@click.argument("execution", default="latest")
@env_option
@json_option
def retry_command(execution: str, env: str, as_json: bool) -> None:
    """Run what failed or was stopped of an EXECUTION again, with its data and parameters; what succeeded stays."""
    aws = aws_of(env)
    arn = retry(aws, execution)
    view = follow(aws, arn, quiet=as_json)
    show(view.to_json(), as_json=as_json, text=lambda: _print_end(view))
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
            table.add_row(item["id"], _colored(item["status"]), item["started"])
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


def follow(aws: Aws, arn: str, *, quiet: bool = False) -> ExecutionView:
    """Print each step as it starts and ends, until the execution has ended. Ctrl-C stops the execution.

    Raises:
        ExecutionError: it was interrupted; the text names the step.
    """
    shown: dict[str, str] = {}
    try:
        while True:
            view = describe(aws, arn)
            for step in view.steps:
                if shown.get(step.name) != step.status:
                    shown[step.name] = step.status
                    if not quiet:
                        _print_progress(step)
            if view.status in ENDED:
                return view
            time.sleep(FOLLOW_SECONDS)
    except KeyboardInterrupt:
        raise ExecutionError(_interrupted(aws, arn)) from None


def _interrupted(aws: Aws, arn: str) -> str:
    execution_id = arn.rpartition("/")[2]
    running = [step.name for step in describe(aws, arn).steps if step.status == "Executing"]
    stop(aws, arn)
    return (
        f"interrupted: execution {execution_id} is being stopped in step {', '.join(running) or 'none'}; nothing was "
        "registered after that, and a training keeps its checkpoint: the same `tunestack run` goes on from there"
    )


def _parse(params: tuple[str, ...]) -> dict[str, str]:
    chosen = {}
    for param in params:
        name, separator, value = param.partition("=")
        if not separator or not name:
            raise ExecutionError(f"--param must be NAME=VALUE, got {param!r}")
        chosen[name] = value
    return chosen


def _print_progress(step: StepView) -> None:
    took = f" in {step.seconds:.0f} s" if step.status in ENDED and step.seconds is not None else ""
    message = f": {step.failure_reason or step.message}" if step.failure_reason or step.message else ""
    console.print(f"{time.strftime('%H:%M:%S')}  {step.name:<15} {_colored(step.status)}{took}{message}")


def _print_end(view: ExecutionView) -> None:
    console.print(f"execution {view.id}: {_colored(view.status)} in {view.seconds:.0f} s")
    failed = view.failed_step
    if failed:
        console.print(f"step {failed.name} failed: {failed.failure_reason}")
        if failed.advice:
            console.print(f"what helps: {failed.advice}")
        console.print(f"its log: tunestack logs {view.id} {failed.name}" if failed.job_name else "")


def _print_execution(view: ExecutionView) -> None:
    console.print(f"execution {view.id}: {_colored(view.status)}, {view.seconds:.0f} s since {view.started}")
    for name, chosen in view.parameters.items():
        console.print(f"  {name} = {chosen}")
    for step in view.steps:
        seconds = f"{step.seconds:.0f} s" if step.seconds is not None else ""
        console.print(f"\n{step.name}  {_colored(step.status)}  {seconds}")
        for label, value in (
            ("job", step.job_name),
            ("says", step.message),
            ("reason", step.failure_reason),
            ("what helps", step.advice),
        ):
            if value:
                console.print(f"  {label}: {value}")
        for label, places in (("in", step.inputs), ("out", step.outputs)):
            for place, uri in places.items():
                console.print(f"  {label}  {place}: {uri}")
        if step.metrics:
            console.print("  metrics: " + ", ".join(f"{name} {value:.4g}" for name, value in step.metrics.items()))
    if view.status == "Failed":
        _print_end(view)


def _colored(status: str) -> str:
    color = _COLORS.get(status, "default")
    return f"[{color}]{status}[/{color}]"
