"""The options of `tunestack memory`, for each thing that it sizes: a training, or a model that answers."""

from dataclasses import dataclass, fields, replace
from typing import Any, get_args

from tunestack.catalogue.instances import InstanceType
from tunestack.cli.options import check_together, check_trainer
from tunestack.errors import UserError
from tunestack.sizing.job.ability import why_not
from tunestack.sizing.job.fine_tuning import FineTuning
from tunestack.sizing.job.named_methods import NamedMethod, job_of_method
from tunestack.sizing.job.rollouts import Rollouts
from tunestack.sizing.job.targets import target_problems
from tunestack.sizing.kinds import AttentionKernel, Checkpointing, LossKernel, Objective, Sharding
from tunestack.sizing.memory.envelope import envelope
from tunestack.sizing.memory.estimate import GIB, MemoryEstimate
from tunestack.sizing.memory.inference_memory import Inference, answering, inference_memory
from tunestack.sizing.memory.objectives import objective_memory
from tunestack.sizing.memory.serving_memory import cache_tokens, many_adapters, many_copies, package_needs
from tunestack.sizing.model.architecture import Architecture
from tunestack.sizing.optimizers import Optimizer
from tunestack.sizing.precision import Dtype, Quantization
from tunestack.sizing.trainers.choice import find_trainer, possible_trainers
from tunestack.sizing.trainers.trainer import Trainer

INFERENCE = "inference"
OBJECTIVES = (*get_args(Objective), INFERENCE)
# Instead of a trainer's name: whichever it is, the range covers it.
ANY, LATEST = "any", "9999-12"
FUSIBLE = ("qlora", "lora", "dora")
OF_ROLLOUTS = ("num_generations", "vllm_gpu_memory_utilization", "vllm_enable_sleep_mode")
SHARDINGS_OF_INFERENCE = ("none", "tensor", "layers")


@dataclass(frozen=True, kw_only=True)
class TrainingOptions:
    """A training of one of the objectives.

    Raises:
        UserError: an option that means nothing beside the others.
    """

    objective: Objective
    method: NamedMethod
    trainer: str
    per_device_train_batch_size: int
    max_length: int
    gradient_accumulation_steps: int
    rank: int
    target_modules: tuple[str, ...]
    trainable_layers: int
    optimizer: Optimizer | None
    optimizer_in_backward: bool
    checkpointing: Checkpointing | None
    attention: AttentionKernel | None
    loss: LossKernel | None
    fuse_layers: bool
    modules_to_save: tuple[str, ...]
    gpus: int
    sharding: Sharding
    replicas: int
    sync_each_batch: bool
    cpu_offload: bool
    num_generations: int
    vllm_gpu_memory_utilization: float | None
    vllm_enable_sleep_mode: bool
    given: frozenset[str]

    def __post_init__(self) -> None:
        _check_sharding(self.sharding, self.gpus, offloads=self.cpu_offload)
        for name in sorted(self.given & set(OF_ROLLOUTS)):
            if self.objective != "grpo":
                raise UserError(f"--{name.replace('_', '-')} goes with --objective grpo")
        if "trainable_layers" in self.given and self.method != "frozen":
            raise UserError("--trainable-layers goes with --method frozen")
        if self.method == "frozen" and "trainable_layers" not in self.given:
            raise UserError("--method frozen needs --trainable-layers: how many of the last layers train")
        if self.sync_each_batch and self.sharding != "fsdp":
            raise UserError("--sync-each-batch goes with --sharding fsdp")
        if self.replicas > 1 and self.sharding != "fsdp":
            raise UserError("--replicas goes with --sharding fsdp: hybrid sharding")
        if "rank" in self.given and self.method not in FUSIBLE:
            raise UserError("--rank goes with --method qlora, lora or dora, and with --adapters")
        if self.target_modules and self.method not in FUSIBLE:
            raise UserError("--target-modules goes with --method qlora, lora or dora")
        check_together(objective=self.objective, method=self.method, loss=self.loss, optimizer=self.optimizer)
        if self.method == "prefix_tuning" and self.checkpointing not in (None, "none"):
            raise UserError("PEFT refuses prefix tuning with checkpointing: --checkpointing none")
        if self.optimizer_in_backward and self.method not in ("full", "frozen"):
            raise UserError("--optimizer-in-backward goes with --method full or frozen")
        if self.optimizer_in_backward and self.gradient_accumulation_steps > 1:
            raise UserError("--optimizer-in-backward updates at once: --gradient-accumulation-steps 1")

    def check(self, architecture: Architecture) -> None:
        """See that PEFT takes what LoRA is asked for.

        Raises:
            UserError: it would refuse a name.
        """
        for problem in target_problems(architecture, self.target_modules):
            raise UserError(f"--target-modules: {problem}")

    def trainers(self) -> tuple[Trainer, ...]:
        """The trainer that is named, or for `any` all that train so.

        Raises:
            UserError: none trains so.
        """
        if self.trainer != ANY:
            trainer = find_trainer(self.trainer)
            check_trainer(self.job(trainer), self.objective)
            return (trainer,)
        latest = possible_trainers(month=LATEST)
        able = tuple(trainer for trainer in latest if why_not(self.job(trainer), self.objective) is None)
        if not able:
            raise UserError("no known trainer runs all of this together; name one with --trainer to see why not")
        return able

    def job(self, trainer: Trainer) -> FineTuning:
        wanted = {
            "optimizer": self.optimizer,
            "checkpointing": "none" if self.method == "prefix_tuning" else self.checkpointing,
            "attention": self.attention,
            "loss": self.loss,
            "fuses_layers": self.fuse_layers or None,
            "target_modules": self.target_modules or None,
        }
        return job_of_method(
            self.method,
            trainer=trainer,
            per_device_train_batch_size=self.per_device_train_batch_size,
            max_length=self.max_length,
            gradient_accumulation_steps=self.gradient_accumulation_steps,
            r=self.rank,
            trainable_layers=self.trainable_layers,
            optimizer_in_backward=self.optimizer_in_backward,
            modules_to_save=self.modules_to_save,
            gpus=self.gpus,
            sharding=self.sharding,
            tensor_parallel=self.gpus if self.sharding == "tensor" else 1,
            replicas=self.replicas,
            sync_each_batch=self.sync_each_batch,
            cpu_offload=self.cpu_offload,
            **{name: value for name, value in wanted.items() if value is not None},
        )

    @property
    def asks_for_gpu(self) -> bool:
        """Whether what is needed depends on the GPU: an engine takes a share of it."""
        return self.vllm_gpu_memory_utilization is not None

    def memory(
        self, architecture: Architecture, *, has_bfloat16: bool = True, capacity_bytes: float | None = None
    ) -> MemoryEstimate:
        """On a GPU, which counts where an engine takes a share of its `capacity_bytes`."""
        rollouts = Rollouts(**{name: getattr(self, name) for name in OF_ROLLOUTS})
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
        if self.method not in FUSIBLE:
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
            raise UserError("--rank goes with --method qlora, lora or dora, and with --adapters")
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
    wanted, other = _fields(InferenceOptions), _fields(TrainingOptions)
    if objective != INFERENCE:
        wanted, other = other, wanted
    for name in sorted((given & other) - wanted):
        means = "means nothing with" if objective == INFERENCE else "goes with"
        raise UserError(f"--{name.replace('_', '-')} {means} --objective inference")
    mine = {name: value for name, value in chosen.items() if name in wanted}
    if objective == INFERENCE:
        return InferenceOptions(given=given, **mine)
    return TrainingOptions(given=given, **{**mine, "objective": objective})


def _fields(kind: type[TrainingOptions | InferenceOptions]) -> set[str]:
    return {field.name for field in fields(kind)} - {"given", "objective"}


def _check_sharding(sharding: Sharding, gpus: int, *, offloads: bool) -> None:
    if sharding == "none" and gpus > 1:
        raise UserError(f"--gpus {gpus} needs a --sharding: how the job is spread over them")
    if sharding != "none" and gpus == 1 and not offloads:
        raise UserError(f"--sharding {sharding} needs --gpus above 1")
