"""Ranked plans for a job, and why each cheaper choice was refused."""

from collections.abc import Iterator
from dataclasses import dataclass

from tunestack.catalogue.assumptions import SPOT_EXTRA_TIME, START_UP_HOURS
from tunestack.catalogue.instances import InstanceType, instance_types, unknown_instance
from tunestack.catalogue.prices import Price, find_instance_price
from tunestack.catalogue.quotas import Quota, find_quota
from tunestack.money import usd
from tunestack.planning.candidates import Candidate, Sizes, best_candidate
from tunestack.planning.request import PlanRequest
from tunestack.sizing.calibrated import calibration_notes
from tunestack.sizing.job.ability import as_built
from tunestack.sizing.job.fine_tuning import SizingError
from tunestack.sizing.memory.estimate import GIB
from tunestack.sizing.memory.states import offloaded_bytes
from tunestack.sizing.speed.objective_rate import GENERATIONS
from tunestack.sizing.speed.throughput import Work
from tunestack.sizing.trainers.known import TUNESTACK

COUNTS = (1, 2, 4)
# What a job's states may take of a host's memory: the system, loading and pinned buffers need the rest.
HOST_SHARE = 0.8
# What training_code runs, on quantised weights or not.
TRAINED_METHODS = ("lora",)
TRAINED_QUANTIZATIONS = ("none", "nf4", "fp4")
TRAINED_OPTIMIZERS = ("adamw", "adamw_fused", "adamw_8bit", "paged_adamw_8bit", "adafactor", "sgd")


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One way to run the job, with its time and its cost; prices are None where no source gives one."""

    candidate: Candidate
    hours: float
    hours_low: float
    hours_high: float
    price: Price | None
    spot_savings: float
    tokens: int
    quota: Quota | None
    spot_quota: Quota | None

    @property
    def instance(self) -> InstanceType:
        return self.candidate.instance

    @property
    def not_by_this_kit(self) -> str | None:
        """Why this kit's training can't run it yet, or None where it can."""
        job = self.candidate.job
        if job.trainer != TUNESTACK:
            return f"it is for {job.trainer.name}"
        if self.candidate.objective != "sft":
            return f"this kit trains no {self.candidate.objective} from a recipe"
        if job.gpus > 1:
            return "this kit trains on one GPU"
        if job.quantization not in TRAINED_QUANTIZATIONS:
            return "this kit trains on weights in 16 bit, NF4 or FP4"
        if job.optimizer not in TRAINED_OPTIMIZERS:
            return f"a recipe has no optimizer {job.optimizer}"
        return None if job.method in TRAINED_METHODS else f"this kit trains {' and '.join(TRAINED_METHODS)} adapters"

    @property
    def usd(self) -> float | None:
        return self._usd(self.hours)

    @property
    def usd_low(self) -> float | None:
        return self._usd(self.hours_low)

    @property
    def usd_high(self) -> float | None:
        return self._usd(self.hours_high)

    @property
    def spot_usd(self) -> float | None:
        """On-demand rate × billable hours, less the assumed savings, with the assumed time for interruptions."""
        usd = self._usd(self.hours * (1 + SPOT_EXTRA_TIME))
        return None if usd is None else usd * (1 - self.spot_savings)

    @property
    def usd_per_million_tokens(self) -> float | None:
        return None if self.usd is None else self.usd / self.tokens * 1e6

    def _usd(self, hours: float) -> float | None:
        return None if self.price is None else self.price.usd * hours * self.candidate.count


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """An instance type that was not chosen, and why."""

    instance_type: str
    count: int
    reason: str
    usd_per_hour: float | None


@dataclass(frozen=True, kw_only=True)
class Planning:
    """The plans, cheapest first, those without a known price last; and what was refused."""

    plans: tuple[Plan, ...]
    refusals: tuple[Refusal, ...]
    assumptions: tuple[str, ...]


def make_plans(request: PlanRequest) -> Planning:
    """Every instance type's best way, ranked by expected cost, with deadline and budget kept.

    Raises:
        SizingError: an instance type or region that isn't known, or a job that can't be.
    """
    work = Work.of(request.architecture)
    sizes = Sizes(request)
    found = [item for instance in _instances(request) for item in _placements(request, work, sizes, instance)]
    plans = [item for item in found if isinstance(item, Plan)]
    refusals = [item for item in found if isinstance(item, Refusal)]
    plans.sort(key=lambda plan: (plan.usd is None, plan.usd or 0.0, plan.hours))
    refusals.sort(key=lambda item: (item.usd_per_hour is None, item.usd_per_hour or 0.0, item.instance_type))
    notes = [line for plan in plans for line in calibration_notes(plan.instance.name)]
    return Planning(plans=tuple(plans), refusals=tuple(refusals), assumptions=(*notes, *_assumptions(request)))


def _instances(request: PlanRequest) -> Iterator[InstanceType]:
    known = instance_types()
    for name in request.instance_types:
        if name not in known:
            raise SizingError(unknown_instance(name))
        if not known[name].gpus or "training" not in known[name].allowed_for:
            raise SizingError(f"{name} has no GPU that can train")
    for name, instance in known.items():
        if instance.gpus and "training" in instance.allowed_for and (name in (request.instance_types or known)):
            yield instance


def _placements(request: PlanRequest, work: Work, sizes: Sizes, instance: InstanceType) -> Iterator[Plan | Refusal]:
    """The plan on one instance; on more, where one doesn't fit or isn't fast enough; else why not."""
    if instance.gpu is None:
        yield _refuse(request, instance, 1, "its GPU isn't in the catalogue")
        return
    refusal = None
    for count in (count for count in COUNTS if count <= request.max_instances):
        candidate = best_candidate(request, work, sizes, instance, count)
        if candidate is None:
            gpus = instance.gpus * count
            uneven = f"{request.effective_batch} rows a step can't be shared equally by {gpus} GPUs"
            refusal = refusal or _refuse(request, instance, count, uneven)
            continue
        plan = _plan(request, candidate)
        reason = _reason_against(request, plan)
        if reason is None:
            yield plan
            return
        refusal = refusal or _refuse(request, instance, count, reason)
    if refusal:
        yield refusal


def _refuse(request: PlanRequest, instance: InstanceType, count: int, reason: str) -> Refusal:
    price = find_instance_price(instance.name, "training", region=request.region)
    return Refusal(
        instance_type=instance.name, count=count, reason=reason, usd_per_hour=price.usd * count if price else None
    )


def _plan(request: PlanRequest, candidate: Candidate) -> Plan:
    seconds = request.tokens / candidate.tokens_per_second
    spread = candidate.rate.tokens_per_second
    return Plan(
        candidate=candidate,
        hours=START_UP_HOURS + seconds / 3600,
        hours_low=START_UP_HOURS + seconds / 3600 * spread / candidate.rate.high,
        hours_high=START_UP_HOURS + seconds / 3600 * spread / candidate.rate.low,
        price=find_instance_price(candidate.instance.name, "training", region=request.region),
        spot_savings=request.spot_savings,
        tokens=request.tokens,
        quota=find_quota(candidate.instance.name, "training job"),
        spot_quota=find_quota(candidate.instance.name, "spot training job"),
    )


def _reason_against(request: PlanRequest, plan: Plan) -> str | None:
    memory, gpu = plan.candidate.memory, plan.instance.gpu
    assert gpu is not None
    if plan.candidate.fit != "yes":
        verb = "may not fit" if plan.candidate.fit == "tight" else "does not fit"
        return f"{verb}: needs {memory.range_gib} of a GPU's {gpu.usable_gib:.1f} GiB in its {memory.peak.name}"
    job = plan.candidate.job
    if job.cpu_offload:
        needed_gib = offloaded_bytes(as_built(request.architecture, job.trainer), job) / GIB
        room_gib = plan.instance.memory_gib * plan.candidate.count * HOST_SHARE
        if needed_gib > room_gib:
            return f"offloads {needed_gib:,.0f} GiB to hosts that have room for {room_gib:,.0f}"
    if request.deadline_hours is not None and plan.hours > request.deadline_hours:
        return f"takes {plan.hours:.1f} h, the deadline is {request.deadline_hours:g} h"
    if request.budget_usd is not None and plan.usd is None:
        return f"its price in {request.region} isn't known, so that the budget can't be kept"
    if request.budget_usd is not None and plan.usd is not None and plan.usd > request.budget_usd:
        return f"costs {usd(plan.usd)}, the budget is {usd(request.budget_usd)}"
    return None


def _assumptions(request: PlanRequest) -> tuple[str, ...]:
    job = request.job
    generated = (
        (
            f"answers of half a row, {GENERATIONS} to a prompt, by transformers' generate; the range begins at an "
            "engine's speed",
        )
        if request.objective in ("grpo", "ppo")
        else ()
    )
    return (
        *generated,
        f"{request.tokens:,} tokens in sequences of {job.max_length:,}, {request.effective_batch} a step",
        f"{START_UP_HOURS * 60:.0f} minutes from request to the first step, billed",
        f"spot: {request.spot_savings:.0%} saved, {SPOT_EXTRA_TIME:.0%} more time for interruptions",
        "sharded jobs load each GPU's shard, never the whole model, and reduce gradients at every micro-step",
        f"logits: {job.loss}; attention: {job.attention}; optimizer: {job.optimizer}, weights {job.weight_dtype}",
    )
