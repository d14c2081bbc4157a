"""How far a running step has come: read off its job's log, with the metrics that the job itself defines."""

import re
from dataclasses import dataclass, field
from typing import Any

from tunestack.aws import Aws
from tunestack.catalogue import find_instance_price
from tunestack.executions.describe import StepView
from tunestack.executions.logs import LogReader
from tunestack.job_api import APIS, TRAINING_API

# What training_code writes: `step 3/24: {…}` with metrics, `progress 40/200 rows scored` without.
_STEP = re.compile(r"step (?P<done>\d+)/(?P<total>\d+): ")
_PROGRESS = re.compile(r"progress (?P<done>\d+)(?:/(?P<total>\d+))? (?P<what>.+)")
_TOKENS, _LOSS = "train:num_tokens", "train:loss"


@dataclass
class Rate:
    """A count that grows: its first and its last value, each with its moment in seconds."""

    first: tuple[float, float]
    last: tuple[float, float]

    @property
    def per_second(self) -> float | None:
        seconds = self.last[0] - self.first[0]
        return (self.last[1] - self.first[1]) / seconds if seconds > 0 else None


@dataclass
class Progress:
    """How far a job is: what it counts, and of how many; `loss`, tokens a second and dollars where they are known."""

    done: int | None = None
    total: int | None = None
    what: str = ""
    loss: float | None = None
    tokens_per_second: float | None = None
    remaining_seconds: float | None = None
    usd: float | None = None


@dataclass
class ProgressReader:
    """Reads what is new in one step's log each time it is asked."""

    aws: Aws
    step: StepView
    _counted: dict[str, Rate] = field(default_factory=dict)
    _progress: Progress = field(default_factory=Progress)

    def __post_init__(self) -> None:
        self._log = LogReader(self.aws, self.step)
        self._metrics = {item["Name"]: re.compile(item["Regex"]) for item in self._metric_definitions()}

    def read(self, step: StepView) -> Progress:
        """How far the step is now; `step` as it was described last."""
        for seconds, line in self._log.new_events():
            self._take(seconds, line)
        self._progress.usd = self._cost(step)
        return self._progress

    def _take(self, seconds: float, line: str) -> None:
        progress = self._progress
        if found := _STEP.search(line) or _PROGRESS.search(line):
            given = found.groupdict()
            progress.what = given.get("what") or "steps"
            progress.done = int(given["done"])
            progress.total = int(given["total"]) if given["total"] else None
            speed = self._count(progress.what, seconds, progress.done)
            left = progress.total - progress.done if progress.total else None
            progress.remaining_seconds = left / speed if speed and left is not None else None
        for name, pattern in self._metrics.items():
            if not (value := pattern.search(line)):
                continue
            if name == _LOSS:
                progress.loss = float(value[1])
            elif name == _TOKENS:
                progress.tokens_per_second = self._count(name, seconds, float(value[1]))

    def _count(self, name: str, seconds: float, value: float) -> float | None:
        rate = self._counted.setdefault(name, Rate(first=(seconds, value), last=(seconds, value)))
        if value < rate.last[1]:
            # Another set of the same kind: its time is its own.
            rate.first = (seconds, value)
        rate.last = (seconds, value)
        return rate.per_second

    def _cost(self, step: StepView) -> float | None:
        """What the job has cost so far, at the price without spot; on this machine nothing is paid."""
        if self.aws.is_local or step.instance_type is None or step.seconds is None:
            return None
        kind = next(api.kind for api in APIS if api.noun == step.job_kind)
        price = find_instance_price(step.instance_type, kind, region=self.aws.settings.environment.region)
        return price.usd * step.seconds / 3600 if price else None

    def _metric_definitions(self) -> list[Any]:
        if self.step.job_kind != TRAINING_API.noun:
            return []
        assert self.step.job_name is not None
        job = self.aws.sagemaker.describe_training_job(TrainingJobName=self.step.job_name)
        return list(job["AlgorithmSpecification"].get("MetricDefinitions", []))
