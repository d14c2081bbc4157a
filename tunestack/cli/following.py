"""An execution as it goes: a line for each step's start and end, and between them how far it has come.

In a terminal one line says it and is written over each second; in a pipe there is one a minute.
"""

import time
from contextlib import AbstractContextManager, nullcontext

from rich.console import Console
from rich.markup import escape
from rich.status import Status

from tunestack.aws import Aws
from tunestack.executions.describe import ENDED, ExecutionView, StepView, describe
from tunestack.executions.errors import ExecutionError
from tunestack.executions.progress import Progress, ProgressReader
from tunestack.executions.stop import stop
from tunestack.money import usd

# Each look is a call or two for each step: a real account counts them.
LOCAL_SECONDS, REMOTE_SECONDS = 2.0, 10.0
SILENT_SECONDS = 55.0
_COLORS = {"Succeeded": "green", "Failed": "red", "Stopped": "yellow", "Stopping": "yellow", "Executing": "cyan"}
console = Console(highlight=False, soft_wrap=True)


def follow(aws: Aws, arn: str, *, quiet: bool = False) -> ExecutionView:
    """Print each step as it starts, goes on and ends, until the execution has ended. Ctrl-C stops the execution.

    Raises:
        ExecutionError: it was interrupted; the text names the step.
    """
    status = console.status("starting") if console.is_terminal and not quiet else None
    shown: AbstractContextManager[object] = status or nullcontext()
    try:
        with shown:
            follower = Follower(aws, status=status, quiet=quiet)
            while True:
                view = describe(aws, arn)
                follower.show(view)
                if view.status in ENDED:
                    return view
                time.sleep(LOCAL_SECONDS if aws.is_local else REMOTE_SECONDS)
    except KeyboardInterrupt:
        raise ExecutionError(_interrupted(aws, arn)) from None


class Follower:
    """What has been said of an execution, so that nothing is said twice."""

    def __init__(self, aws: Aws, *, status: Status | None, quiet: bool) -> None:
        self._aws, self._status, self._quiet = aws, status, quiet
        self._said: dict[str, str] = {}
        self._readers: dict[str, ProgressReader] = {}
        self._last_line = time.monotonic()

    def show(self, view: ExecutionView) -> None:
        """Say what is new."""
        if self._quiet:
            return
        for step in view.steps:
            if self._said.get(step.name) != step.status:
                self._said[step.name] = step.status
                self._print(_began_or_ended(step))
        running = [self._progress_line(step) for step in view.steps if step.status == "Executing"]
        if self._status is not None:
            self._status.update("; ".join(running) or "between two steps")
        elif running and time.monotonic() - self._last_line >= SILENT_SECONDS:
            for line in running:
                self._print(f"{time.strftime('%H:%M:%S')}  {line}")

    def _print(self, line: str) -> None:
        self._last_line = time.monotonic()
        console.print(line)

    def _progress_line(self, step: StepView) -> str:
        progress = Progress()
        if step.job_name is not None:
            if step.job_name not in self._readers:
                self._readers[step.job_name] = ProgressReader(self._aws, step)
            progress = self._readers[step.job_name].read(step)
        return f"{step.name:<15} {', '.join(in_words(progress, step.seconds or 0.0))}"


def in_words(progress: Progress, seconds: float) -> list[str]:
    """How far a step is, in a few words each."""
    parts = []
    if progress.done is not None:
        of = f"/{progress.total}" if progress.total else ""
        parts.append(f"{progress.done}{of} {escape(progress.what)}")
    if progress.loss is not None:
        parts.append(f"loss {progress.loss:.3f}")
    if progress.tokens_per_second is not None:
        parts.append(f"{progress.tokens_per_second:,.0f} tokens/s")
    parts.append(f"{duration(seconds)} so far")
    if progress.remaining_seconds:
        parts.append(f"about {duration(progress.remaining_seconds)} left")
    if progress.usd is not None:
        parts.append(f"{usd(progress.usd)} so far")
    return parts


def duration(seconds: float) -> str:
    """`40 s`, `3 min 20 s`, `2 h 5 min`."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def colored(status: str) -> str:
    """A status in its colour."""
    color = _COLORS.get(status, "default")
    return f"[{color}]{status}[/{color}]"


def _began_or_ended(step: StepView) -> str:
    took = f" in {duration(step.seconds)}" if step.status in ENDED and step.seconds is not None else ""
    said = step.failure_reason or step.message
    message = f": {escape(said)}" if said else ""
    return f"{time.strftime('%H:%M:%S')}  {step.name:<15} {colored(step.status)}{took}{message}"


def print_end(view: ExecutionView) -> None:
    """How an execution ended, and what helps where it failed."""
    console.print(f"execution {view.id}: {colored(view.status)} in {view.seconds:.0f} s")
    failed = view.failed_step
    if failed:
        console.print(f"step {failed.name} failed: {escape(failed.failure_reason or 'no reason given')}")
        if failed.advice:
            console.print(f"what helps: {escape(failed.advice)}")
        console.print(f"its log: tunestack logs {view.id} {failed.name}" if failed.job_name else "")


def _interrupted(aws: Aws, arn: str) -> str:
    execution_id = arn.rpartition("/")[2]
    # First what costs nothing more to wait for: looking may fail.
    stop(aws, arn)
    running = [step.name for step in describe(aws, arn).steps if step.status in ("Executing", "Stopping", "Stopped")]
    return (
        f"interrupted: execution {execution_id} is being stopped in step {', '.join(running) or 'none'}; nothing was "
        "registered after that, and a training keeps its checkpoint: the same `tunestack run` goes on from there"
    )
