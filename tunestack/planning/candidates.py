"""The ways to run a job on an instance type: micro-batch, checkpointing, sharding; the fastest that fits counts."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from tunestack.catalogue.gpus import Gpu
from tunestack.catalogue.instances import InstanceType
from tunestack.planning.request import PlanRequest
from tunestack.sizing.calibrated import calibrated_memory, calibrated_rate
from tunestack.sizing.job.fine_tuning import FineTuning
from tunestack.sizing.kinds import Checkpointing, Objective, Sharding
from tunestack.sizing.memory.estimate import Fit, MemoryEstimate
from tunestack.sizing.memory.objectives import objective_memory
from tunestack.sizing.speed.objective_rate import PAIRS, objective_rate
from tunestack.sizing.speed.throughput import Network, Throughput, Work, throughput

MICRO_BATCHES = (16, 8, 4, 2, 1)
CHECKPOINTING: tuple[Checkpointing, ...] = ("none", "full")


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """One way to run the job on `count` instances."""

    instance: InstanceType
    count: int
    job: FineTuning
    objective: Objective
    memory: MemoryEstimate
    rate: Throughput
    fit: Fit

    @property
    def tokens_per_second(self) -> float:
        return self.rate.tokens_per_second * self.job.gpus


class Sizes:
    """The memory of a request's jobs, each computed once: many instance types run the very same one."""

    def __init__(self, request: PlanRequest) -> None:
        self._request = request
        self._known: dict[tuple[object, ...], MemoryEstimate] = {}

    def memory(self, job: FineTuning) -> MemoryEstimate:
        """Of one of the request's jobs; those differ in what a plan chooses and a GPU computes in, and nothing else."""
        batch, accumulation = job.per_device_train_batch_size, job.gradient_accumulation_steps
        key = (batch, accumulation, job.checkpointing, job.gpus, job.sharding, job.compute_dtype, job.has_flash_kernel)
        if key not in self._known:
            # A GPU sees rows; a pair is two of them.
            rows = max(1, batch // 2) if self._request.objective in PAIRS else batch
            sized = replace(job, per_device_train_batch_size=rows)
            self._known[key] = objective_memory(self._request.architecture, sized, self._request.objective)
        return self._known[key]


def best_candidate(
    request: PlanRequest, work: Work, sizes: Sizes, instance: InstanceType, count: int
) -> Candidate | None:
    """The fastest way that surely fits, else the smallest one that may; None where its GPUs can't share a step."""
    gpu = instance.gpu
    assert gpu is not None
    network = Network(gpus_per_machine=instance.gpus, gbit_per_s=instance.network_gbps)
    jobs = _jobs(request, instance, count)
    found = [_candidate(request, work, sizes, instance, count, job, gpu, network) for job in jobs]
    if not found:
        return None
    sure = [item for item in found if item.fit == "yes"]
    if sure:
        return max(sure, key=lambda item: item.tokens_per_second)
    return min(found, key=lambda item: item.memory.device_bytes)


def _candidate(
    request: PlanRequest, work: Work, sizes: Sizes, instance: InstanceType, count: int, job: FineTuning, gpu: Gpu,
    network: Network,
) -> Candidate:  # fmt: skip
    job = job.on(has_bfloat16=gpu.has_bfloat16)
    memory = calibrated_memory(sizes.memory(job), instance.name)
    rate = calibrated_rate(throughput(work, job, gpu, network=network), instance.name)
    return Candidate(
        instance=instance,
        count=count,
        job=job,
        objective=request.objective,
        memory=memory,
        rate=objective_rate(rate, work, job, gpu, request.objective),
        fit=memory.fits(gpu.usable_bytes),
    )


def _checkpointing(request: PlanRequest) -> tuple[Checkpointing, ...]:
    if request.fixed_micro_batch:
        return (request.job.checkpointing,)
    # PEFT refuses prefix tuning with checkpointing.
    return ("none",) if request.job.method == "prefix_tuning" else CHECKPOINTING


def _shardings(request: PlanRequest, gpus: int) -> tuple[Sharding, ...]:
    """How the trainer spreads the job: whole on each GPU, or shared, as what lies on the host always is."""
    if request.cpu_offload:
        return request.shared
    if gpus == 1:
        return ("none",)
    return ("ddp", *request.shared) if "ddp" in request.job.trainer.shardings else request.shared


def _jobs(request: PlanRequest, instance: InstanceType, count: int) -> Iterator[FineTuning]:
    gpus = instance.gpus * count
    batches = (request.job.per_device_train_batch_size,) if request.fixed_micro_batch else MICRO_BATCHES
    for sharding in _shardings(request, gpus):
        for batch_size in batches:
            if request.effective_batch % (batch_size * gpus) and not request.fixed_micro_batch:
                continue
            accumulation = max(1, request.effective_batch // (batch_size * gpus))
            for checkpointing in _checkpointing(request):
                yield replace(
                    request.job,
                    per_device_train_batch_size=batch_size,
                    gradient_accumulation_steps=accumulation,
                    gpus=gpus,
                    sharding=sharding,
                    checkpointing=checkpointing,
                    sync_each_batch=True,
                    cpu_offload=request.cpu_offload,
                )
