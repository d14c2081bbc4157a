"""The options of `tunestack memory`, for each thing that it sizes: a training, or a model that answers."""

from dataclasses import dataclass, fields, replace
from typing import Any, cast, get_args

from tunestack.catalogue.instances import InstanceType
from tunestack.cli.job_options import (
    ADAPTED,
    INFERENCE,
    OPTIONS,
    SHARDINGS_OF_INFERENCE,
    Chosen,
    check_kind,
    check_needs,
    fields_of,
)
from tunestack.cli.options import check_together, check_trainer
from tunestack.errors import UserError
from tunestack.sizing.job.ability import why_not
from tunestack.sizing.job.fine_tuning import FineTuning
from tunestack.sizing.job.named_methods import NamedMethod, job_of_method
from tunestack.sizing.job.rollouts import Rollouts
from tunestack.sizing.job.targets import target_problems
from tunestack.sizing.kinds import AttentionKernel, Objective, Sharding
from tunestack.sizing.memory.envelope import envelope
from tunestack.sizing.memory.estimate import GIB, MemoryEstimate
from tunestack.sizing.memory.inference_memory import Inference, answering, inference_memory
from tunestack.sizing.memory.objectives import objective_memory
from tunestack.sizing.memory.serving_memory import cache_tokens, many_adapters, many_copies, package_needs
from tunestack.sizing.model.architecture import Architecture
from tunestack.sizing.precision import Dtype, Quantization
from tunestack.sizing.trainers.choice import find_trainer, possible_trainers
from tunestack.sizing.trainers.trainer import Trainer

OBJECTIVES = (*get_args(Objective), INFERENCE)
# Instead of a trainer's name: whichever it is, the range covers it.
ANY, LATEST = "any", "9999-12"
OF_ROLLOUTS = ("num_generations", "vllm_gpu_memory_utilization", "vllm_enable_sleep_mode")


@dataclass(frozen=True, kw_only=True)
class TrainingOptions:
    """A training of one of the objectives; `chosen` are the options by name, `given` those that the user named.

    Raises:
        UserError: an option that means nothing beside the others.
    """

    objective: Objective
    chosen: Chosen
    given: frozenset[str]

    def __post_init__(self) -> None:
        method, sharding = self.method, self.chosen["sharding"]
        _check_sharding(sharding, self.chosen["gpus"], offloads=self.chosen["cpu_offload"])
        check_needs(self.chosen, self.given)
        if method == "frozen" and "trainable_layers" not in self.given:
            raise UserError("--method frozen needs --trainable-layers: how many of the last layers train")
        together = {name: self.chosen[name] for name in ("objective", "method", "loss", "optimizer")}
        check_together(**together)
        if method == "prefix_tuning" and self.chosen["checkpointing"] not in (None, "none"):
            raise UserError("PEFT refuses prefix tuning with checkpointing: --checkpointing none")
        if self.chosen["optimizer_in_backward"] and self.chosen["gradient_accumulation_steps"] > 1:
            raise UserError("--optimizer-in-backward updates at once: --gradient-accumulation-steps 1")

    @property
    def method(self) -> NamedMethod:
        method: NamedMethod = self.chosen["method"]
        return method

    @property
    def gpus(self) -> int:
        return int(self.chosen["gpus"])

    @property
    def sharding(self) -> Sharding:
        sharding: Sharding = self.chosen["sharding"]
        return sharding

    def check(self, architecture: Architecture) -> None:
        """See that PEFT takes what LoRA is asked for.

        Raises:
            UserError: it would refuse a name.
        """
        for problem in target_problems(architecture, self.chosen["target_modules"]):
            raise UserError(f"--target-modules: {problem}")

    def trainers(self) -> tuple[Trainer, ...]:
        """The trainer that is named, or for `any` all that train so.

        Raises:
            UserError: none trains so.
        """
        if self.chosen["trainer"] != ANY:
            trainer = find_trainer(self.chosen["trainer"])
            check_trainer(self.job(trainer), self.objective)
            return (trainer,)
        latest = possible_trainers(month=LATEST)
        able = tuple(trainer for trainer in latest if why_not(self.job(trainer), self.objective) is None)
        if not able:
            raise UserError("no known trainer runs all of this together; name one with --trainer to see why not")
        return able

    def job(self, trainer: Trainer) -> FineTuning:
        """The job as a trainer runs it."""
        fields = fields_of(self.chosen)
        if self.method == "prefix_tuning":
            fields["checkpointing"] = "none"
        if self.sharding == "tensor":
            fields["tensor_parallel"] = self.gpus
        return job_of_method(self.method, trainer=trainer, **fields)

    @property
    def asks_for_gpu(self) -> bool:
        """Whether what is needed depends on the GPU: an engine takes a share of it."""
        return self.chosen["vllm_gpu_memory_utilization"] is not None

    def memory(
        self, architecture: Architecture, *, has_bfloat16: bool = True, capacity_bytes: float | None = None
    ) -> MemoryEstimate:
        """On a GPU, which counts where an engine takes a share of its `capacity_bytes`."""
        rollouts = Rollouts(**{name: self.chosen[name] for name in OF_ROLLOUTS})
        trainers = self.trainers()
        found = [
            objective_memory(
                architecture, self.job(trainer).on(has_bfloat16=has_bfloat16), self.objective, rollouts=rollouts,
                capacity_bytes=capacity_bytes,
            )
            for trainer in trainers
        ]  # fmt: skip
        return found[0] if len(found) == 1 else envelope(found, voices=[trainer.name for trainer in trainers])

    def needs(self, architecture: Architecture, instance: InstanceType, gpus: int) -> MemoryEstimate | None:
        """On a type with as many GPUs as were named."""
        if gpus != self.gpus:
            return None
        assert instance.gpu is not None
        gpu = instance.gpu
        return self.memory(architecture, has_bfloat16=gpu.has_bfloat16, capacity_bytes=gpu.usable_bytes)

    def afterwards(self, architecture: Architecture) -> str | None:
        """What fusing the adapter takes after the training."""
        if self.method not in ADAPTED:
            return None
        needs = package_needs(architecture)
        host, disk = needs.host_memory_bytes / GIB, needs.disk_bytes / 1e9
        return f"fusing the adapter afterwards takes {host:,.0f} GiB of a host's memory and {disk:,.0f} GB of disk"


@dataclass(frozen=True, kw_only=True)
class InferenceOptions:
    """A model that answers, alone or with adapters side by side.

    Raises:
        UserError: an option that means nothing beside the others.
    """

    per_device_train_batch_size: int
    max_length: int
    rank: int
    attention: AttentionKernel | None
    gpus: int
    sharding: Sharding
    dtype: Dtype
    cache_dtype: Dtype | None
    quantization: Quantization | None
    adapters: int | None
    gpu_memory_utilization: float | None
    given: frozenset[str]

    def __post_init__(self) -> None:
        _check_sharding(self.sharding, self.gpus, offloads=False)
        if "rank" in self.given and not self.adapters:
            raise UserError(f"{OPTIONS['rank'].flag} goes with --adapters")
        if self.gpu_memory_utilization is not None and not 0 < self.gpu_memory_utilization <= 1:
            raise UserError(f"--gpu-memory-utilization must be in (0, 1], got {self.gpu_memory_utilization:g}")
        if self.sharding not in SHARDINGS_OF_INFERENCE:
            raise UserError(f"--objective inference is spread by --sharding {' or '.join(SHARDINGS_OF_INFERENCE[1:])}")

    def job(self) -> Inference:
        return Inference(
            batch=self.per_device_train_batch_size,
            max_length=self.max_length,
            weight_dtype=self.dtype,
            cache_dtype=self.cache_dtype or ("bf16" if self.dtype == "fp8" else self.dtype),
            quantization=self.quantization or "none",
            attention=self.attention or "sdpa",
            gpus=self.gpus,
            tensor_parallel=self.sharding == "tensor",
        )

    def needs(self, architecture: Architecture, instance: InstanceType, gpus: int) -> MemoryEstimate | None:
        """On so many GPUs of a type, each with its part of the heads; with a sharding that was named, as named."""
        if self.sharding != "none" and gpus != self.gpus:
            return None
        on = self if self.sharding != "none" else replace(self, gpus=gpus, sharding="tensor" if gpus > 1 else "none")
        assert instance.gpu is not None
        if on.room(architecture, instance.gpu.usable_bytes) == 0:
            return None
        return on.memory(architecture)

    def weights_bytes(self, architecture: Architecture) -> float:
        """The weights, as they are held, on all GPUs together."""
        whole = replace(self.job(), gpus=1, tensor_parallel=False)
        return sum(part.size_bytes for part in answering(architecture, whole).weights)

    @property
    def asks_for_gpu(self) -> bool:
        return False

    def memory(
        self, architecture: Architecture, *, has_bfloat16: bool = True, capacity_bytes: float | None = None
    ) -> MemoryEstimate:
        """The same on every GPU: those without bfloat16 answer in float16."""
        if self.adapters:
            return many_adapters(architecture, self.job(), count=self.adapters, rank=self.rank)
        return inference_memory(architecture, self.job())

    def room(self, architecture: Architecture, capacity_bytes: float) -> int | None:
        """Tokens that an engine of the share that was named has room for on a GPU; None where none was."""
        if self.gpu_memory_utilization is None:
            return None
        share = self.gpu_memory_utilization
        return cache_tokens(architecture, self.job(), capacity_bytes=capacity_bytes, utilization=share)

    def afterwards(self, architecture: Architecture) -> str | None:
        """What merged models would take in the place of adapters."""
        if not self.adapters:
            return None
        copies = many_copies(architecture, self.job(), count=self.adapters)
        where = f" of all {self.gpus} GPUs together" if self.gpus > 1 else ""
        return f"{self.adapters} merged models in their place would take {copies / GIB:,.1f} GiB{where}"


def options_of(objective: str, chosen: dict[str, Any], given: frozenset[str]) -> TrainingOptions | InferenceOptions:
    """The options of an objective; `given` are those that the user named.

    Raises:
        UserError: an option of the other kind of job, or one that means nothing beside the others.
    """
    check_kind(objective, given)
    if objective == INFERENCE:
        wanted = {field.name for field in fields(InferenceOptions)}
        return InferenceOptions(given=given, **{name: value for name, value in chosen.items() if name in wanted})
    kind = cast(Objective, objective)
    return TrainingOptions(objective=kind, chosen={**chosen, "objective": objective}, given=given)


def _check_sharding(sharding: Sharding, gpus: int, *, offloads: bool) -> None:
    if sharding == "none" and gpus > 1:
        raise UserError(f"--gpus {gpus} needs a --sharding: how the job is spread over them")
    if sharding != "none" and gpus == 1 and not offloads:
        raise UserError(f"--sharding {sharding} needs --gpus above 1")
