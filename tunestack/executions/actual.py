"""Estimate against fact: what an execution was expected to cost and did, and which assumption was off."""

from collections.abc import Iterator
from dataclasses import dataclass

from tunestack.aws import Aws
from tunestack.catalogue import find_instance, find_instance_price
from tunestack.costs.run import JobCost
from tunestack.costs.workload import Workload
from tunestack.definition.jobs import DefinedJob
from tunestack.executions.describe import ExecutionView, StepView, describe
from tunestack.executions.started import blueprint_of
from tunestack.jobs import TRAIN
from tunestack.money import total_usd
from tunestack.sizing.memory.estimate import GIB
from tunestack.sizing.memory.training_memory import training_memory

# Where fact and estimate differ by less, nothing is said.
WORTH_SAYING = 0.25


@dataclass(frozen=True, kw_only=True)
class StepActual:
    """One job: hours and dollars as expected and as billed, None where a figure isn't known."""

    step: str
    instance_type: str
    expected_hours: float | None
    billed_hours: float
    expected_usd: float | None
    billed_usd: float | None


@dataclass(frozen=True, kw_only=True)
class Actual:
    """An execution's jobs, its totals, and what was off."""

    execution: str
    steps: tuple[StepActual, ...]
    findings: tuple[str, ...]

    @property
    def expected_usd(self) -> float | None:
        return total_usd(step.expected_usd for step in self.steps)

    @property
    def billed_usd(self) -> float | None:
        return total_usd(step.billed_usd for step in self.steps)


def actual(aws: Aws, execution: str) -> Actual:
    """Compare an execution with the estimate for the very parameters that it was started with.

    Raises:
        ExecutionError: there is no such execution.
    """
    view = describe(aws, execution)
    blueprint = blueprint_of(aws, view)
    workload = blueprint.workload
    expected = {defined.step: (defined, cost) for defined, cost in zip(blueprint.jobs, blueprint.run.jobs, strict=True)}
    steps = tuple(
        _compared(step, *expected[step.name], workload)
        for step in view.steps
        if step.name in expected and step.billable_seconds is not None
    )
    return Actual(execution=view.id, steps=steps, findings=tuple(_findings(aws, view, steps, workload)))


def _compared(step: StepView, defined: DefinedJob, expected: JobCost, workload: Workload) -> StepActual:
    assert step.billable_seconds is not None
    hours = step.billable_seconds / 3600
    name = step.instance_type or expected.instance_type
    price = find_instance_price(name, defined.job.api.kind, region=workload.region)
    return StepActual(
        step=step.name,
        instance_type=name,
        expected_hours=expected.expected_hours,
        billed_hours=hours,
        expected_usd=expected.expected_usd,
        # Spot's savings are in the billable seconds already.
        billed_usd=price.usd * hours if price else None,
    )


def _findings(aws: Aws, view: ExecutionView, steps: tuple[StepActual, ...], workload: Workload) -> Iterator[str]:
    if aws.is_local:
        yield "run on this machine: its hours say nothing of the instance types' speed"
    for step in steps:
        if step.expected_hours is None:
            yield f"how long {step.step} takes wasn't known: the model's size isn't"
            continue
        ratio = step.billed_hours / step.expected_hours
        if abs(ratio - 1) > WORTH_SAYING:
            yield f"{step.step} was billed {ratio:.2f} × the expected hours"
    training = next((step for step in view.steps if step.name == TRAIN.step), None)
    if training is None:
        return
    yield from _tokens(training, workload)
    yield from _memory(training, workload)


def _tokens(training: StepView, workload: Workload) -> Iterator[str]:
    """Whether the data set was as large as assumed: then it was the throughput that was off."""
    seen, assumed = training.metrics.get("train:num_tokens"), workload.training_tokens
    if seen is None:
        return
    if abs(seen / assumed - 1) > WORTH_SAYING:
        yield (
            f"the training saw {seen:,.0f} tokens, {assumed:,.0f} were assumed: set costs.training_tokens to the data "
            "set's size"
        )
    elif training.billable_seconds:
        rate = seen / training.billable_seconds
        yield f"the training saw {seen:,.0f} tokens, as assumed: {rate:,.0f} a billed second"


def _memory(training: StepView, workload: Workload) -> Iterator[str]:
    peak = training.metrics.get("train:gpu_peak_gib")
    if peak is None or workload.architecture is None:
        return
    instance = find_instance(training.instance_type or "")
    job = workload.job_on(instance.gpu if instance else None)
    modelled = training_memory(workload.architecture, job).allocated_bytes / GIB
    yield f"the GPU's peak was {peak:.2f} GiB allocated, {modelled:.2f} were expected ({peak / modelled - 1:+.0%})"
