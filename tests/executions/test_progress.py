"""How far a step is, off its log: what training_code writes, with the metric definitions that are deployed."""

from dataclasses import replace
from typing import Any

import pytest

from tunestack.aws import Aws
from tunestack.cli.following import duration, in_words
from tunestack.executions.describe import StepView
from tunestack.executions.progress import Progress, ProgressReader
from tunestack.job_api import PROCESSING_API, TRAINING_API
from tunestack.planning.blueprint import blueprint_of
from tunestack.settings.loading import load_settings

STEP = StepView(
    name="FineTune", status="Executing", started=None, seconds=1800.0, failure_reason=None, advice=None,
    job_kind=TRAINING_API.noun, job_name="job", inputs={}, outputs={}, message=None, instance_type="ml.g5.2xlarge",
    billable_seconds=None, metrics={},
)  # fmt: skip


class Account:
    """An account whose job has this log, and whose metrics are those of the deployed definition."""

    def __init__(self, lines: list[tuple[float, str]]) -> None:
        self.settings, self.is_local, self.lines = load_settings("dev"), False, lines
        steps = blueprint_of(self.settings).definition["Steps"]
        self.algorithm = next(step for step in steps if step["Name"] == "FineTune")["Arguments"][
            "AlgorithmSpecification"
        ]

    def client(self, service: str) -> Any:
        assert service == "logs"
        return self

    @property
    def sagemaker(self) -> Any:
        return self

    def describe_training_job(self, *, TrainingJobName: str) -> dict[str, Any]:  # noqa: N803 - the API's
        return {"AlgorithmSpecification": self.algorithm}

    def describe_log_streams(self, **_: Any) -> dict[str, Any]:
        return {"logStreams": [{"logStreamName": "job/algo-1"}]}

    def get_log_events(self, *, nextToken: str = "", **_: Any) -> dict[str, Any]:  # noqa: N803 - the API's
        seen = int(nextToken or 0)
        events = [{"timestamp": seconds * 1000, "message": line} for seconds, line in self.lines[seen:]]
        return {"events": events, "nextForwardToken": str(len(self.lines))}


def reader(lines: list[tuple[float, str]], step: StepView = STEP) -> ProgressReader:
    aws: Aws = Account(lines)  # type: ignore[assignment]
    return ProgressReader(aws, step)


def test_a_training_says_steps_loss_tokens_a_second_time_left_and_dollars() -> None:
    lines = [
        (100.0, "INFO step 5/25: {'loss': 4.1, 'num_tokens': 1000.0}"),
        (150.0, "INFO progress 10/25 steps"),
        (200.0, "INFO step 15/25: {'loss': 3.2, 'num_tokens': 3000.0}"),
    ]
    found = reader(lines).read(STEP)
    assert (found.done, found.total, found.what, found.loss) == (15, 25, "steps", 3.2)
    assert found.tokens_per_second == pytest.approx(20.0) and found.remaining_seconds == pytest.approx(100.0)
    # Half an hour of ml.g5.2xlarge, training, us-east-1.
    assert found.usd == pytest.approx(1.515 / 2, rel=0.01)
    words = ", ".join(in_words(found, 1800.0))
    assert words == "15/25 steps, loss 3.200, 20 tokens/s, 30 min 0 s so far, about 1 min 40 s left, $0.76 so far"


def test_what_is_new_is_read_and_nothing_twice() -> None:
    lines = [(1.0, "INFO progress 1/4 rows scored")]
    step = replace(STEP, job_kind=PROCESSING_API.noun)
    progress = reader(lines, step)
    assert progress.read(step).done == 1
    lines += [(3.0, "INFO progress 3/4 rows scored"), (4.0, "INFO progress 2 rows answered")]
    found = progress.read(step)
    # A new count has a speed of its own, and where nobody knows the total there is no time left.
    assert (found.done, found.total, found.what, found.remaining_seconds) == (2, None, "rows answered", None)


def test_a_job_that_has_said_nothing_yet_has_its_time_alone() -> None:
    assert in_words(Progress(), 42.0) == ["42 s so far"]
    assert [duration(seconds) for seconds in (0, 59.6, 200, 7500)] == ["0 s", "60 s", "3 min 20 s", "2 h 5 min"]


def test_what_is_counted_anew_has_a_rate_of_its_own() -> None:
    lines = [(10.0, "progress 4/8 rows answered, base"), (20.0, "progress 8/8 rows answered, base")]
    lines += [(100.0, "progress 2/30 rows answered, base"), (104.0, "progress 4/30 rows answered, base")]
    found = reader(lines, replace(STEP, job_kind=PROCESSING_API.noun)).read(STEP)
    assert found.remaining_seconds == pytest.approx(26 / 0.5)
