"""The log of a step's job, from CloudWatch Logs, on AWS and here alike."""

import time
from collections.abc import Iterator

from botocore.exceptions import ClientError

from tunestack.aws import Aws
from tunestack.errors import nearest
from tunestack.executions.describe import ENDED, ExecutionView, StepView, describe
from tunestack.executions.errors import ExecutionError
from tunestack.job_api import APIS

POLL_SECONDS = 1.0


def choose_step(execution: ExecutionView, name: str | None) -> StepView:
    """The step of that name; without a name the one that failed, else the last one with a job.

    Raises:
        ExecutionError: there is no such step, or it has no job.
    """
    with_job = [step for step in execution.steps if step.job_name]
    if name is None:
        failed = [step for step in with_job if step.status == "Failed"]
        if not with_job:
            raise ExecutionError(f"execution {execution.id} has started no job yet")
        return (failed or with_job[-1:])[0]
    for step in execution.steps:
        if step.name == name:
            if step.job_name is None:
                raise ExecutionError(
                    f"step {name} has no job and so no log; its outcome: {step.message or step.status}"
                )
            return step
    raise ExecutionError(f"no step {name!r} has started; {nearest(name, [step.name for step in execution.steps])}")


def read_log(aws: Aws, step: StepView) -> list[str]:
    """All lines of a step's log so far."""
    return list(LogReader(aws, step).new_lines())


def follow_log(aws: Aws, execution: str, step_name: str | None) -> Iterator[str]:
    """The lines of a step's log as they come, until the step has ended."""
    step = choose_step(describe(aws, execution), step_name)
    reader = LogReader(aws, step)
    while True:
        yield from reader.new_lines()
        if step.status in ENDED:
            return
        time.sleep(POLL_SECONDS)
        step = choose_step(describe(aws, execution), step.name)


class LogReader:
    """Reads one step's log piece by piece."""

    def __init__(self, aws: Aws, step: StepView) -> None:
        assert step.job_name is not None
        self._logs = aws.client("logs")
        self._group = next(api.log_group for api in APIS if api.noun == step.job_kind)
        self._job = step.job_name
        self._tokens: dict[str, str] = {}

    def new_lines(self) -> Iterator[str]:
        """What has been written since the last call."""
        for _, line in self.new_events():
            yield line

    def new_events(self) -> Iterator[tuple[float, str]]:
        """The same, each line with its moment in seconds since 1970."""
        for stream in self._streams():
            while True:
                token = self._tokens.get(stream)
                answer = self._logs.get_log_events(
                    logGroupName=self._group,
                    logStreamName=stream,
                    startFromHead=True,
                    **({"nextToken": token} if token else {}),
                )
                for event in answer["events"]:
                    yield event["timestamp"] / 1000, event["message"]
                self._tokens[stream] = answer["nextForwardToken"]
                # An empty page is no end: the end gives its own token back.
                if answer["nextForwardToken"] == token:
                    break

    def _streams(self) -> list[str]:
        try:
            answer = self._logs.describe_log_streams(logGroupName=self._group, logStreamNamePrefix=f"{self._job}/")
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
            return []
        return [stream["logStreamName"] for stream in answer["logStreams"]]
