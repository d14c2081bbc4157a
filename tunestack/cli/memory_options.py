"""The options of `tunestack memory`, for each thing that it sizes: a training, or a model that answers."""

from dataclasses import dataclass, fields
from typing import Any, get_args

from tunestack.errors import UserError
from tunestack.sizing.job.fine_tuning import AttentionKernel, Checkpointing, FineTuning, LossKernel, Sharding
from tunestack.sizing.job.named_methods import NamedMethod, job_of_method, under_accelerate
from tunestack.sizing.job.optimizers import Optimizer
from tunestack.sizing.memory.estimate import GIB, MemoryEstimate
from tunestack.sizing.memory.inference_memory import Inference, inference_memory
from tunestack.sizing.memory.objectives import Objective, objective_memory
from tunestack.sizing.memory.serving_memory import many_adapters, many_copies, package_needs
from tunestack.sizing.model.architecture import Architecture
from tunestack.sizing.precision import Quantization

INFERENCE = "inference"
OBJECTIVES = (*get_args(Objective), INFERENCE)
FUSIBLE = ("qlora", "lora", "dora")
SHARDINGS_OF_INFERENCE = ("none", "tensor", "layers")


@dataclass(frozen=True, kw_only=True)
class TrainingOptions:
    """A training of one of the objectives.

    Raises:
        UserError: an option that means nothing beside the others.
    """

    objective: Objective
    method: NamedMethod
    per_device_train_batch_size: int
    max_length: int
    gradient_accumulation_steps: int
    rank: int
    trainable_layers: int
    optimizer: Optimizer
    checkpointing: Checkpointing
    attention: AttentionKernel
    loss: LossKernel
    gpus: int
    sharding: Sharding
    sync_each_batch: bool
    cpu_offload: bool
    given: frozenset[str]

    def __post_init__(self) -> None:
        _check_sharding(self.sharding, self.gpus, offloads=self.cpu_offload)
        if "trainable_layers" in self.given and self.method != "frozen":
            raise UserError("--trainable-layers goes with --method frozen")
        if self.method == "frozen" and "trainable_layers" not in self.given:
            raise UserError("--method frozen needs --trainable-layers: how many of the last layers train")
        if self.sync_each_batch and self.sharding != "fsdp":
            raise UserError("--sync-each-batch goes with --sharding fsdp")
        if "rank" in self.given and self.method not in FUSIBLE:
            raise UserError("--rank goes with --method qlora, lora or dora, and with --adapters")
        if "loss" in self.given and self.objective == "reward":
            raise UserError("--loss means nothing with --objective reward, whose head has one output")
        if self.optimizer.startswith("galore") and self.method not in ("full", "frozen"):
            raise UserError("--optimizer galore goes with --method full or frozen: adapters are of low rank already")
        if "checkpointing" in self.given and self.method == "prefix_tuning" and self.checkpointing != "none":
            raise UserError("PEFT refuses prefix tuning with checkpointing: --checkpointing none")

    def job(self) -> FineTuning:
        job = job_of_method(
            self.method,
            per_device_train_batch_size=self.per_device_train_batch_size,
            max_length=self.max_length,
            gradient_accumulation_steps=self.gradient_accumulation_steps,
            r=self.rank,
            trainable_layers=self.trainable_layers,
            optimizer=self.optimizer,
            checkpointing="none" if self.method == "prefix_tuning" else self.checkpointing,
            attention=self.attention,
            loss=self.loss,
            gpus=self.gpus,
            sharding=self.sharding,
            tensor_parallel=self.gpus if self.sharding == "tensor" else 1,
            sync_each_batch=self.sync_each_batch,
            cpu_offload=self.cpu_offload,
        )
        return under_accelerate(job)

    def memory(self, architecture: Architecture, *, has_bfloat16: bool = True) -> MemoryEstimate:
        return objective_memory(architecture, self.job().on(has_bfloat16=has_bfloat16), self.objective)

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
    attention: AttentionKernel
    gpus: int
    sharding: Sharding
    quantization: Quantization | None
    adapters: int | None
    given: frozenset[str]

    def __post_init__(self) -> None:
        _check_sharding(self.sharding, self.gpus, offloads=False)
        if "rank" in self.given and not self.adapters:
            raise UserError("--rank goes with --method qlora, lora or dora, and with --adapters")
        if self.sharding not in SHARDINGS_OF_INFERENCE:
            raise UserError(f"--objective inference is spread by --sharding {' or '.join(SHARDINGS_OF_INFERENCE[1:])}")

    def job(self) -> Inference:
        return Inference(
            batch=self.per_device_train_batch_size,
            max_length=self.max_length,
            quantization=self.quantization or "none",
            attention=self.attention,
            gpus=self.gpus,
            tensor_parallel=self.sharding == "tensor",
        )

    def memory(self, architecture: Architecture, *, has_bfloat16: bool = True) -> MemoryEstimate:
        """The same on every GPU: those without bfloat16 answer in float16."""
        if self.adapters:
            return many_adapters(architecture, self.job(), count=self.adapters, rank=self.rank)
        return inference_memory(architecture, self.job())

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
