"""What a training holds all along: weights, adapters, gradients, optimizer states, and buffers of their exchange."""

from dataclasses import dataclass

from tunestack.sizing.job.fine_tuning import FineTuning
from tunestack.sizing.job.optimizers import GALORE_RANK, Optimizer, galore_share, state_bytes
from tunestack.sizing.job.trainable import added_parameters, trained_model_parameters
from tunestack.sizing.memory.estimate import Component
from tunestack.sizing.memory.overhead import workspace_bytes
from tunestack.sizing.memory.sharding import Shares, bucket_bytes, gathered_bytes, shares
from tunestack.sizing.model.architecture import Architecture
from tunestack.sizing.precision import BYTES, bytes_per_weight


@dataclass(frozen=True, kw_only=True)
class States:
    """The components, each in bytes on one GPU, and how much of the optimizer is paged out of the allocator."""

    weights: tuple[Component, ...]
    adapter: Component
    gradients: Component
    accumulated: Component
    optimizer: Component
    step: Component
    gathered: Component
    gathered_gradients: Component
    buckets: Component
    copies: Component
    unpacked: Component
    joined: Component
    workspace: Component
    paged_bytes: float
    share: Shares

    @property
    def always(self) -> tuple[Component, ...]:
        """What is there in every phase of a step."""
        return (*self.weights, self.adapter, self.optimizer, self.workspace, self.buckets)

    @property
    def optimizer_step(self) -> tuple[Component, ...]:
        """What is there while the optimizer makes its step."""
        return (*self.always, self.gradients, self.step)

    @property
    def static(self) -> tuple[Component, ...]:
        """What doesn't move from one step to the next, so that the allocator has no slack for it."""
        return (*self.weights, self.adapter, self.optimizer, self.gradients, self.accumulated)


def states(architecture: Architecture, job: FineTuning) -> States:
    """The states of a job on one of its GPUs."""
    share = shares(architecture, job)
    added, own = added_parameters(architecture, job), trained_model_parameters(architecture, job)
    own_bytes, added_bytes = BYTES[job.weight_dtype], BYTES[job.adapter_dtype]
    kept, step, paged = _optimizer(architecture, job, own=own, added=added, share=share)
    return States(
        weights=() if job.cpu_offload else _weights(architecture, job, share),
        adapter=Component(
            name="adapter weights", size_bytes=added * added_bytes, formula=f"{added:,} × {added_bytes:g} B"
        ),
        gradients=_gradients(architecture, job, own=own, added=added, share=share.gradients),
        accumulated=_accumulated(architecture, job, own=own, added=added, share=share.gradients),
        optimizer=Component(name="optimizer states", size_bytes=kept, formula=f"{job.optimizer} of {own + added:,}"),
        step=Component(name="optimizer's temporary", size_bytes=step, formula=job.optimizer),
        gathered=_gathered(architecture, job),
        gathered_gradients=_gathered_gradients(architecture, job, own),
        buckets=Component(
            name="reduction buckets",
            size_bytes=bucket_bytes(job, gradient_bytes=own * own_bytes + added * added_bytes),
            formula=job.sharding,
        ),
        copies=_autocast_copies(architecture, job, share),
        unpacked=_unpacked(architecture, job),
        joined=Component(
            name="experts being joined",
            size_bytes=architecture.largest_joined_experts * BYTES[job.weight_dtype],
            formula="one layer's, from the checkpoint's single ones",
        ),
        workspace=Component(name="cuBLAS workspace", size_bytes=workspace_bytes(), formula="32 MiB"),
        paged_bytes=paged,
        share=share,
    )


def _weights(architecture: Architecture, job: FineTuning, share: Shares) -> tuple[Component, ...]:
    """Linears as they are quantised; embeddings, head, norms and biases in the weights' dtype, or upcast to fp32."""
    packed = bytes_per_weight(job.quantization, dtype=job.weight_dtype, double_quant=job.double_quant)
    dense = 4.0 if job.upcasts_unquantized and job.quantization != "none" else BYTES[job.weight_dtype]
    own_head = job.quantized_head and not architecture.tied_embeddings
    linears = architecture.quantizable_parameters(job.quantization) + (
        architecture.embedding_parameters if own_head else 0
    )
    rest = architecture.parameters - linears
    return (
        Component(name="weights: linears", size_bytes=linears * packed * share.weights, formula=f"{packed:.4g} B each"),
        Component(
            name="weights: embeddings, head, norms",
            size_bytes=rest * dense * share.weights,
            formula=f"{dense:g} B each",
        ),
    )


def _gradients(architecture: Architecture, job: FineTuning, *, own: int, added: int, share: float) -> Component:
    """The gradients as they are reduced: each GPU's share of those of the model's own weights."""
    elements = own + _frozen_beside_adapters(architecture, job)
    fp32 = job.master_weights and job.sharding == "none"
    size = elements * (4 if fp32 else BYTES[job.weight_dtype]) * share + added * BYTES[job.adapter_dtype]
    formula = f"{own + added:,} trainable parameters"
    return Component(name="gradients", size_bytes=0 if job.cpu_offload else size, formula=formula)


def _accumulated(architecture: Architecture, job: FineTuning, *, own: int, added: int, share: float) -> Component:
    """The gradients while they accumulate: whole under FSDP, which reduces them at the last micro-step."""
    if job.sharding != "fsdp" or job.gradient_accumulation_steps == 1 or job.sync_each_batch or job.gpus == 1:
        return _gradients(architecture, job, own=own, added=added, share=share)
    elements = own + _frozen_beside_adapters(architecture, job)
    size = elements * job.compute_bytes / job.tensor_parallel + added * BYTES[job.adapter_dtype]
    return Component(name="gradients", size_bytes=size, formula=f"{elements + added:,} of whole units, not reduced yet")


def _frozen_beside_adapters(architecture: Architecture, job: FineTuning) -> int:
    """Frozen weights that get a gradient all the same, as FSDP's units have one tensor of both."""
    shared = job.adapters_share_units and job.trains_adapters and job.sharding == "fsdp"
    if not shared or job.quantization != "none":
        return 0
    return architecture.parameters - architecture.embedding_parameters - architecture.head_parameters


def _optimizer(
    architecture: Architecture, job: FineTuning, *, own: int, added: int, share: Shares
) -> tuple[float, float, float]:
    """Bytes kept on the GPU, of the step's temporary, and paged.

    DeepSpeed keeps fp32 weights and moments, whatever the model's dtype.
    """
    zero = job.gpus > 1 and job.sharding in ("zero1", "zero2", "zero3")
    optimizer: Optimizer = "adamw_fp32" if zero and job.optimizer in ("adamw", "adamw_fused") else job.optimizer
    of_own = state_bytes(optimizer, parameter_bytes=BYTES[job.weight_dtype])
    of_added = state_bytes(job.optimizer, parameter_bytes=BYTES[job.adapter_dtype])
    low_rank = _low_rank_share(architecture, job)
    master = 4 if (job.master_weights or zero) and BYTES[job.weight_dtype] < 4 else 0
    kept = own * (of_own.kept * low_rank + master) * share.optimizer
    kept += added * of_added.kept * (share.optimizer if job.sharding != "none" else 1)
    step = own * of_own.step * low_rank * share.optimizer + added * of_added.step
    if of_own.paged:
        return 0.0, step, kept
    return (0.0, 0.0, 0.0) if job.cpu_offload else (kept, step, 0.0)


def _low_rank_share(architecture: Architecture, job: FineTuning) -> float:
    if not job.optimizer.startswith("galore"):
        return 1.0
    linears = [(layer.copies * linear.weight, linear) for layer, linear in architecture.linears()]
    low = sum(count * galore_share(GALORE_RANK, linear.inputs, linear.outputs) for count, linear in linears)
    outside = architecture.parameters - sum(count for count, _ in linears)
    return (low + outside) / architecture.parameters


def _gathered(architecture: Architecture, job: FineTuning) -> Component:
    packed = bytes_per_weight(job.quantization, dtype=job.weight_dtype, double_quant=job.double_quant)
    each = job.compute_bytes if job.quantization == "none" else packed
    root = (architecture.embedding_parameters + architecture.head_parameters) * job.compute_bytes
    size = gathered_bytes(architecture, job, layer_bytes=architecture.largest_layer * each, root_bytes=root)
    return Component(name="gathered parameters", size_bytes=size, formula="units in flight and the root, whole")


def _gathered_gradients(architecture: Architecture, job: FineTuning, own: int) -> Component:
    """Gradients of gathered units are whole until they are reduced."""
    whole = own and job.gpus > 1 and job.sharding in ("fsdp", "zero3")
    elements = architecture.largest_layer + architecture.embedding_parameters
    size = elements * job.compute_bytes / job.tensor_parallel if whole else 0
    return Component(name="gathered gradients", size_bytes=size, formula="one unit and the root, before reduction")


def _autocast_copies(architecture: Architecture, job: FineTuning, share: Shares) -> Component:
    copied = job.autocast and job.weight_dtype == "fp32"
    size = architecture.quantizable_parameters(job.quantization) * job.compute_bytes * share.weights if copied else 0
    return Component(name="16-bit copies of weights", size_bytes=size, formula="autocast, kept until used")


def _unpacked(architecture: Architecture, job: FineTuning) -> Component:
    """A quantised weight is unpacked for its product."""
    elements = architecture.largest_linear if job.quantization != "none" else 0
    return Component(
        name="dequantised weight", size_bytes=elements * job.compute_bytes, formula="the largest linear, 16 bit"
    )
