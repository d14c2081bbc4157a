"""What an execution's training took, against what was expected of it: a row for the calibration."""

from datetime import UTC, datetime

from tunestack.aws import Aws
from tunestack.catalogue import find_instance
from tunestack.catalogue.own_runs import OwnRun
from tunestack.costs.workload import Workload
from tunestack.executions.describe import StepView, describe
from tunestack.executions.errors import ExecutionError
from tunestack.executions.started import blueprint_of
from tunestack.jobs import TRAIN
from tunestack.sizing.memory.estimate import GIB
from tunestack.sizing.memory.training_memory import training_memory
from tunestack.sizing.speed.throughput import Work, throughput


def measured_run(aws: Aws, execution: str) -> OwnRun:
    """The training of an execution, measured and expected.

    Raises:
        ExecutionError: there is no such execution, or it has nothing to calibrate by; the text says what.
    """
    view = describe(aws, execution)
    training = next((step for step in view.steps if step.name == TRAIN.step), None)
    if training is None:
        raise ExecutionError(f"{view.id} has no training yet")
    return own_run(view.id, training, blueprint_of(aws, view).workload)


def own_run(execution: str, training: StepView, workload: Workload) -> OwnRun:
    """A training's figures beside the models', uncalibrated.

    Raises:
        ExecutionError: a figure is missing: it ran on no GPU that is known, or hasn't ended.
    """
    told = {name: training.metrics.get(f"train:{name}") for name in ("num_tokens", "runtime_seconds")}
    reserved = training.metrics.get("train:gpu_reserved_peak_gib")
    instance = find_instance(training.instance_type or "")
    if instance is None or instance.gpu is None or workload.architecture is None:
        raise ExecutionError(
            f"{execution} trained on {training.instance_type or 'no instance type'}: no GPU to calibrate"
        )
    missing = [name for name, value in (*told.items(), ("gpu_reserved_peak_gib", reserved)) if not value]
    if missing:
        raise ExecutionError(
            f"{execution} says no {', '.join(missing)}: it hasn't ended, ran on this machine, or is of an older image"
        )
    tokens, seconds = told["num_tokens"], told["runtime_seconds"]
    assert tokens and seconds and reserved
    job = workload.job_on(instance.gpu)
    return OwnRun(
        execution=execution,
        measured_on=datetime.now(UTC).date().isoformat(),
        instance_type=instance.name,
        model=workload.architecture.name,
        job=f"{job.quantization} {job.method}, {job.per_device_train_batch_size} × {job.max_length:,} tokens",
        tokens_per_second=tokens / seconds,
        expected_tokens_per_second=throughput(Work.of(workload.architecture), job, instance.gpu).tokens_per_second,
        reserved_gib=reserved,
        expected_reserved_gib=training_memory(workload.architecture, job).reserved_bytes / GIB,
    )
