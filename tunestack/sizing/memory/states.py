"""What a training holds all along: weights, adapters, gradients, optimizer states, and buffers of their exchange."""

from dataclasses import dataclass

from tunestack.sizing.job.fine_tuning import FineTuning
from tunestack.sizing.job.trainable import added_parameters, saved_parameters, trained_model_parameters
from tunestack.sizing.memory.estimate import Component
from tunestack.sizing.memory.overhead import workspace_bytes
from tunestack.sizing.memory.sharding import Shares, bucket_bytes, gathered_bytes, shares
from tunestack.sizing.model.architecture import Architecture
from tunestack.sizing.optimizers import GALORE_RANK, Optimizer, galore_share, state_bytes
from tunestack.sizing.precision import BYTES, bytes_per_weight

# Two fp32 moments; and the masters of weights beside them.
WIDE_STATES, FP32_STATES = 8.0, 12.0


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
    gathered_apart: Component
    gathered_gradients: Component
    buckets: Component
    copies: Component
    unpacked: Component
    unpacked_head: Component
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
    own_bytes, added_bytes = BYTES[job.kept_dtype], BYTES[job.adapter_dtype]
    saved = _saved(architecture, job)
    kept, step, paged = _optimizer(architecture, job, own=own, added=added, share=share)
    return States(
        weights=() if job.cpu_offload and job.sharding in ("fsdp", "zero3") else _weights(architecture, job, share),
        adapter=Component(
            name="adapter weights",
            size_bytes=added * added_bytes + saved.weights,
            formula=f"{added:,} × {added_bytes:g} B" + (f", and {saved.formula}" if saved.weights else ""),
        ),
        gradients=_gradients(architecture, job, own=own, added=added, share=share.gradients),
        accumulated=_accumulated(architecture, job, own=own, added=added, share=share.gradients),
        optimizer=Component(name="optimizer states", size_bytes=kept, formula=f"{job.optimizer} of {own + added:,}"),
        step=Component(name="optimizer's temporary", size_bytes=step, formula=job.optimizer),
        gathered=_gathered(architecture, job),
        gathered_apart=_gathered_apart(architecture, job),
        gathered_gradients=_gathered_gradients(architecture, job, own),
        buckets=Component(
            name="reduction buckets",
            size_bytes=bucket_bytes(job, gradient_bytes=own * own_bytes + added * added_bytes),
            formula=job.sharding,
        ),
        copies=_autocast_copies(architecture, job, share),
        unpacked=_unpacked(architecture, job),
        unpacked_head=Component(
            name="dequantised head",
            size_bytes=_quantized_head(architecture, job) * job.compute_bytes,
            formula="vocabulary × hidden, 16 bit",
        ),
        joined=Component(
            name="experts being joined",
            size_bytes=architecture.largest_joined_experts * BYTES[job.kept_dtype],
            formula="one layer's, from the checkpoint's single ones",
        ),
        workspace=Component(name="cuBLAS workspace", size_bytes=workspace_bytes(), formula="32 MiB"),
        paged_bytes=paged,
        share=share,
    )


def offloaded_bytes(architecture: Architecture, job: FineTuning) -> float:
    """What all hosts of a job together hold where it offloads: optimizer states, and what its sharding sends with them.

    ZeRO-1 sends the optimizer's states alone, ZeRO-2 gradients, too, ZeRO-3 and FSDP weights as well. DeepSpeed's are
    fp32 throughout: masters, moments and gradients, 16 bytes a parameter.
    """
    own, added = trained_model_parameters(architecture, job), added_parameters(architecture, job)
    packed = bytes_per_weight(job.quantization, dtype=job.kept_dtype, double_quant=job.double_quant)
    linears = architecture.quantizable_parameters(job.quantization)
    weights = linears * packed + (architecture.parameters - linears) * BYTES[job.kept_dtype]
    kept, each = BYTES[job.kept_dtype], BYTES[job.adapter_dtype]
    if job.sharding in ("zero1", "zero2", "zero3"):
        states = (own + added) * FP32_STATES
        gradients = 0.0 if job.sharding == "zero1" else (own + added) * 4.0
        return states + gradients + (weights if job.sharding == "zero3" else 0.0)
    master = 4 if job.trainer.fp32_master and kept < 4 else 0
    states = own * (state_bytes(job.optimizer, parameter_bytes=kept).kept + master)
    states += added * state_bytes(job.optimizer, parameter_bytes=each).kept
    return weights + own * kept + added * 2 * each + states


def _weights(architecture: Architecture, job: FineTuning, share: Shares) -> tuple[Component, ...]:
    """Linears as they are quantised; embeddings, head, norms and biases in the weights' dtype, or upcast to fp32."""
    packed = bytes_per_weight(job.quantization, dtype=job.kept_dtype, double_quant=job.double_quant)
    dense = 4.0 if job.upcasts_unquantized else BYTES[job.kept_dtype]
    linears = architecture.quantizable_parameters(job.quantization) + _quantized_head(architecture, job)
    experts = architecture.unquantized_experts(job.quantization)
    derived = architecture.unquantized_linears(job.quantization)
    rest = architecture.parameters - linears - experts - derived
    return (
        Component(name="weights: linears", size_bytes=linears * packed * share.weights, formula=f"{packed:.4g} B each"),
        Component(
            name="weights: embeddings, head, norms",
            size_bytes=rest * dense * share.weights,
            formula=f"{dense:g} B each",
        ),
        *unquantized_experts(experts * dense * share.weights, each=dense),
        *unquantized_linears(derived * dense * share.weights, each=dense),
    )


def unquantized_linears(size_bytes: float, *, each: float) -> tuple[Component, ...]:
    """Linears of a class that transformers doesn't hand to bitsandbytes, by that name: nothing where there are none."""
    reason = f"{each:g} B each: of a class derived from nn.Linear; transformers 5 quantises nn.Linear itself alone"
    return (
        (Component(name="weights: unquantised linears", size_bytes=size_bytes, formula=reason),) if size_bytes else ()
    )


def unquantized_experts(size_bytes: float, *, each: float) -> tuple[Component, ...]:
    """Experts that bitsandbytes doesn't reach, by that name: nothing where there are none."""
    reason = f"{each:g} B each: one parameter of a layer's, which bitsandbytes doesn't quantise (it replaces nn.Linear)"
    return (Component(name="weights: experts", size_bytes=size_bytes, formula=reason),) if size_bytes else ()


def _quantized_head(architecture: Architecture, job: FineTuning) -> int:
    """Parameters of a head that is quantised, too."""
    own = job.is_quantized and job.trainer.quantizes_head and not architecture.tied_embeddings
    return architecture.embedding_parameters if own else 0


def _gradients(architecture: Architecture, job: FineTuning, *, own: int, added: int, share: float) -> Component:
    """The gradients as they are reduced: each GPU's share of those of the model's own weights."""
    each = 4 if job.trainer.fp32_master else BYTES[job.kept_dtype]
    elements: float = own + _frozen_beside_adapters(architecture, job)
    formula = f"{own + added:,} trainable parameters"
    if job.optimizer_in_backward and own:
        elements, formula = max(architecture.embedding_parameters, architecture.largest_linear), "one at a time"
    size = elements * each * share + added * BYTES[job.adapter_dtype] + _saved(architecture, job).weights
    # FSDP and ZeRO-3 send their shares to the host; ZeRO-2 as they are reduced.
    offloaded = job.cpu_offload and job.sharding != "zero1"
    return Component(name="gradients", size_bytes=0 if offloaded else size, formula=formula)


def _accumulated(architecture: Architecture, job: FineTuning, *, own: int, added: int, share: float) -> Component:
    """The gradients while they accumulate: whole under FSDP, which reduces them at the last micro-step."""
    if job.sharding != "fsdp" or job.gradient_accumulation_steps == 1 or job.sync_each_batch or job.gpus == 1:
        return _gradients(architecture, job, own=own, added=added, share=share)
    elements = own + _frozen_beside_adapters(architecture, job)
    size = elements * job.compute_bytes / job.tensor_parallel + added * BYTES[job.adapter_dtype]
    size += _saved(architecture, job).weights
    return Component(name="gradients", size_bytes=size, formula=f"{elements + added:,} of whole units, not reduced yet")


def _frozen_beside_adapters(architecture: Architecture, job: FineTuning) -> int:
    """Frozen weights that get a gradient all the same, as FSDP's units have one tensor of both."""
    shared = job.trainer.adapters_share_units and job.trains_adapters and job.sharding == "fsdp"
    if not shared or job.quantization != "none":
        return 0
    return architecture.parameters - architecture.embedding_parameters - architecture.head_parameters


def _optimizer(
    architecture: Architecture, job: FineTuning, *, own: int, added: int, share: Shares
) -> tuple[float, float, float]:
    """Bytes kept on the GPU, of the step's temporary, and paged.

    DeepSpeed keeps fp32 weights and moments, whatever the model's dtype.
    """
    zero = job.sharding in ("zero1", "zero2", "zero3")
    optimizer: Optimizer = "adamw_fp32" if zero and job.optimizer in ("adamw", "adamw_fused") else job.optimizer
    of_own = state_bytes(optimizer, parameter_bytes=BYTES[job.kept_dtype])
    of_added = state_bytes(job.optimizer, parameter_bytes=BYTES[job.adapter_dtype])
    low_rank = _low_rank_share(architecture, job)
    master = 4 if (job.trainer.fp32_master or zero) and BYTES[job.kept_dtype] < 4 else 0
    kept = own * (of_own.kept * low_rank + master) * share.optimizer
    kept += added * of_added.kept * (share.optimizer if job.sharding != "none" else 1)
    kept += _wide_states(architecture, job, own=own) * share.optimizer + _saved(architecture, job).states
    stepped = min(own, architecture.embedding_parameters) if job.optimizer_in_backward else own
    step = stepped * of_own.step * low_rank * share.optimizer + added * of_added.step
    if of_own.paged:
        return 0.0, step, kept
    return (0.0, 0.0, 0.0) if job.cpu_offload else (kept, step, 0.0)


@dataclass(frozen=True, kw_only=True)
class _Saved:
    """What `modules_to_save` adds: a copy of each module that trains, its gradient as large, and its states."""

    weights: float
    states: float
    formula: str


def _saved(architecture: Architecture, job: FineTuning) -> _Saved:
    each, count = BYTES[job.saved_dtype], saved_parameters(architecture, job)
    states = state_bytes(job.optimizer, parameter_bytes=each).kept
    wide = WIDE_STATES if job.trainer.wide_embedding_states and "8bit" in job.optimizer else states
    embeddings = architecture.embedding_parameters if "embed_tokens" in job.modules_to_save else 0
    return _Saved(
        weights=count * each,
        states=embeddings * wide + (count - embeddings) * states,
        formula=f"{count:,} × {each:g} B of {', '.join(job.modules_to_save)}",
    )


def _wide_states(architecture: Architecture, job: FineTuning, *, own: int) -> float:
    """What an embedding's fp32 states take beyond 8-bit ones, where the embedding trains."""
    if not (own and job.method == "full" and job.trainer.wide_embedding_states and "8bit" in job.optimizer):
        return 0
    narrow = state_bytes(job.optimizer, parameter_bytes=BYTES[job.kept_dtype]).kept
    return architecture.embedding_parameters * (WIDE_STATES - narrow)


def _low_rank_share(architecture: Architecture, job: FineTuning) -> float:
    if not job.optimizer.startswith("galore"):
        return 1.0
    linears = [(layer.copies * linear.weight, linear) for layer, linear in architecture.linears()]
    low = sum(count * galore_share(GALORE_RANK, linear.inputs, linear.outputs) for count, linear in linears)
    outside = architecture.parameters - sum(count for count, _ in linears)
    return (low + outside) / architecture.parameters


def _gathered(architecture: Architecture, job: FineTuning) -> Component:
    layer, root = _units(architecture, job)
    size = gathered_bytes(architecture, job, layer_bytes=layer, root_bytes=root)
    return Component(name="gathered parameters", size_bytes=size, formula="units in flight and the root, whole")


def _gathered_apart(architecture: Architecture, job: FineTuning) -> Component:
    """What FSDP2 gathers into before it copies parameters to where they compute, in a stream of its own.

    The root and a layer whole, and this GPU's share of the larger (benchmarks/data/gpu_sharded.csv, by stream).
    """
    apart = job.trainer.streams_apart and job.sharding == "fsdp" and job.gpus > 1
    layer, root = _units(architecture, job)
    size = (layer + root + max(layer, root) * job.one_shard) / job.tensor_parallel
    return Component(name="gathered apart", size_bytes=size if apart else 0.0, formula="root and a layer, to copy from")


def _units(architecture: Architecture, job: FineTuning) -> tuple[float, float]:
    """Bytes of FSDP's units as they are gathered: the largest layer, and the root (embedding and head)."""
    packed = bytes_per_weight(job.quantization, dtype=job.kept_dtype, double_quant=job.double_quant)
    each = job.compute_bytes if job.quantization == "none" else packed
    outside = (architecture.embedding_parameters, architecture.head_parameters)
    root = (max(outside) if job.trainer.wraps_root else sum(outside)) * job.compute_bytes
    return architecture.largest_layer * each, root


def _gathered_gradients(architecture: Architecture, job: FineTuning, own: int) -> Component:
    """Gradients of gathered units are whole until they are reduced."""
    whole = own and job.gpus > 1 and job.sharding in ("fsdp", "zero3")
    elements = architecture.largest_layer + architecture.embedding_parameters
    size = elements * job.compute_bytes / job.tensor_parallel if whole else 0
    return Component(name="gathered gradients", size_bytes=size, formula="one unit and the root, before reduction")


def _autocast_copies(architecture: Architecture, job: FineTuning, share: Shares) -> Component:
    copied = architecture.quantizable_parameters(job.quantization) if job.autocasts else 0
    size = copied * job.compute_bytes * share.weights
    return Component(name="16-bit copies of weights", size_bytes=size, formula="autocast, kept until used")


def _unpacked(architecture: Architecture, job: FineTuning) -> Component:
    """A quantised weight is unpacked for its product."""
    quantized = job.is_quantized and architecture.quantizable_parameters(job.quantization) > 0
    elements = architecture.largest_linear if quantized else 0
    return Component(
        name="dequantised weight", size_bytes=elements * job.compute_bytes, formula="the largest linear, 16 bit"
    )
