"""How long each job of a run takes, from the recipe and the machine: low, expected, high."""

from collections.abc import Callable
from dataclasses import dataclass

from tunestack.catalogue import find_instance
from tunestack.catalogue.assumptions import START_UP_HOURS
from tunestack.catalogue.gpus import Gpu
from tunestack.costs.workload import Workload
from tunestack.jobs import TimeUse
from tunestack.sizing.calibrated import calibrated_rate
from tunestack.sizing.model.architecture import Architecture
from tunestack.sizing.speed.throughput import HIGH, LOW, Work, throughput

# What a small job takes beyond its start, for a data set of some thousand rows.
SMALL_JOB_HOURS = 5 / 60
# Reading a model from S3 and writing one back, on the smaller machines.
GB_PER_HOUR = 0.15 * 3600


@dataclass(frozen=True, kw_only=True)
class Hours:
    """A job's billed hours: expected, and the bounds of what its settings leave open."""

    low: float
    expected: float
    high: float

    def plus(self, hours: float) -> "Hours":
        return Hours(low=self.low + hours, expected=self.expected + hours, high=self.high + hours)


def hours_of(use: TimeUse, workload: Workload, instance_type: str) -> Hours | None:
    """A job's hours on an instance type, by what they grow with; None where that is a model that nobody knows."""
    return _HOURS[use](workload, instance_type)


def training_hours(workload: Workload, instance_type: str) -> Hours | None:
    """A training's hours, or None of a model that nobody knows; `training_code` trains on one GPU."""
    architecture, gpu = workload.architecture, _gpu(instance_type)
    if architecture is None:
        return None
    if gpu is None:
        return _small()
    rate = calibrated_rate(throughput(Work.of(architecture), workload.job_on(gpu), gpu), instance_type)
    hours = workload.training_tokens / 3600
    trained = Hours(low=hours / rate.high, expected=hours / rate.tokens_per_second, high=hours / rate.low)
    return trained.plus(START_UP_HOURS + _moved_gb(architecture) / GB_PER_HOUR)


def _scoring_hours(workload: Workload, instance_type: str) -> Hours | None:
    """Two models over two sets forward, and their generated answers token by token."""
    architecture, gpu, evaluation = workload.architecture, _gpu(instance_type), workload.recipe.evaluation
    if architecture is None:
        return None
    if gpu is None:
        return _small()
    # Forward costs a third of the training's FLOPs with recomputation.
    found = calibrated_rate(throughput(Work.of(architecture), workload.job_on(gpu), gpu), instance_type)
    rate = 3 * found.tokens_per_second
    scored = 2 * 2 * evaluation.max_rows * workload.recipe.training.max_length / rate
    # Each generated token reads all weights once, of a 16-bit model; a batch shares the reading.
    reading = 2 * architecture.active_parameters / (gpu.bandwidth_gb_per_s * 1e9 * 0.4)
    answers = 2 * 2 * evaluation.generated_rows / evaluation.batch_size * evaluation.max_new_tokens
    hours = (scored + answers * reading) / 3600
    spread = Hours(low=hours * LOW, expected=hours, high=hours / LOW * HIGH)
    return spread.plus(START_UP_HOURS + _moved_gb(architecture) / GB_PER_HOUR)


def _fusing_hours(workload: Workload, instance_type: str) -> Hours | None:
    """The base is read, fused in fp32 and compressed."""
    if workload.architecture is None:
        return None
    return _small().plus(4 * _moved_gb(workload.architecture) / GB_PER_HOUR)


def _small() -> Hours:
    hours = START_UP_HOURS + SMALL_JOB_HOURS
    return Hours(low=hours * 0.5, expected=hours, high=hours * 2)


_HOURS: dict[TimeUse, Callable[[Workload, str], Hours | None]] = {
    "training": training_hours,
    "scoring": _scoring_hours,
    "fusing": _fusing_hours,
    "small": lambda *_: _small(),
}


def _gpu(instance_type: str) -> Gpu | None:
    instance = find_instance(instance_type)
    return instance.gpu if instance else None


def _moved_gb(architecture: Architecture) -> float:
    return architecture.parameters * 2 / 1e9
