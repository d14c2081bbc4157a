"""Peak GPU memory of a fine-tuning: states and graph, at each instant that may be the largest."""

from tunestack.sizing.job.fine_tuning import FineTuning
from tunestack.sizing.job.length import check_length
from tunestack.sizing.job.parallel import check_layers_by_gpu, check_tensor_parallel
from tunestack.sizing.job.trainable import check_rank
from tunestack.sizing.memory.estimate import Component, MemoryEstimate, Phase
from tunestack.sizing.memory.graph import Graph, graph
from tunestack.sizing.memory.overhead import (
    SLACK_OF_DYNAMIC,
    SLACK_OF_FIXED_BLOCKS,
    SLACK_OF_VARYING,
    SLACK_WITHOUT_RECOMPUTING,
    TEMPORARIES,
    device_bytes,
    reserved_bytes,
)
from tunestack.sizing.memory.states import States, states
from tunestack.sizing.model.architecture import Architecture
from tunestack.sizing.trainers.known import TUNESTACK

# Bounds of the true device memory around the estimate, from the errors on measured figures (docs/memory-model.md):
# one GPU and batches of one length, for the kit's own trainer, whose facts are tested, and for others, whose facts are
# read (bounds that hold for sources they weren't taken from); what varies with the data or with how a framework shards
# and loads; LLM.int8, whose fp16 outliers depend on the data.
LOW, HIGH = 0.85, 1.17
STEP = "optimizer step"
LOW_OF_OTHERS, HIGH_OF_OTHERS = 0.82, 1.25
HIGH_VARYING, HIGH_INT8 = 1.45, 1.6
LOW_SHARDED, HIGH_SHARDED = 0.7, 1.3


def training_memory(
    architecture: Architecture,
    job: FineTuning,
    *,
    resident: tuple[Component, ...] = (),
    before: tuple[Phase, ...] = (),
) -> MemoryEstimate:
    """The peak of one GPU, with its phases and their components.

    `resident` is there all along beside the trained model (a reference model, a reward model); `before` are phases of
    the same job that come before the training step (rollouts).

    Raises:
        SizingError: the job can't be (a rank above the width, more trainable layers or GPUs than there are layers,
            sequences beyond its positions).
    """
    check_rank(architecture, job)
    check_length(architecture, job.max_length)
    check_tensor_parallel(architecture, job.tensor_parallel)
    if job.sharding == "layers":
        check_layers_by_gpu(architecture, job.gpus)
    held = states(architecture, job)
    step = graph(architecture, job, held.share)
    phases = (*before, *_phases(held, step, job, resident))
    static = frozenset((*held.static, *resident, *(part for phase in before for part in phase.static)))
    reserved = max(_reserved(phase, static, job, held, step) for phase in phases)
    device = device_bytes(reserved, gpus=job.gpus)
    low, high = _range(job)
    if job.varying_lengths:
        # Where a GPU is full, PyTorch gives back what it holds in reserve: then the tensors alone must fit.
        least = reserved_bytes(max(phase.size_bytes for phase in phases), static=0, slack=SLACK_OF_FIXED_BLOCKS)
        low = min(low, device_bytes(least, gpus=job.gpus) / device)
    return MemoryEstimate(
        phases=phases,
        reserved_bytes=reserved,
        device_bytes=device,
        paged_bytes=held.paged_bytes,
        low=low,
        high=high,
    )


def _reserved(phase: Phase, static: frozenset[Component], job: FineTuning, held: States, step: Graph) -> float:
    """Bytes that the allocator holds in a phase.

    Three parts: what stays between steps; what a step allocates and frees, with the allocator's slack; and the blocks
    of FSDP2's other streams, which this stream can't use while they are free.
    """
    streams = (held.gathered_apart, held.gradients) if held.gathered_apart.size_bytes else ()
    own = [part for part in phase.components if part not in streams]
    stays = sum(part.size_bytes for part in own if part in static)
    slack = _slack(job)
    if phase.name == STEP and not job.varying_lengths:
        # Nothing is computed again while the optimizer makes its step.
        slack = min(slack, SLACK_WITHOUT_RECOMPUTING)
    whole = reserved_bytes(sum(part.size_bytes for part in own), static=stays, slack=slack)
    if job.trainer.fixed_blocks and step.logits in own:
        whole += step.unfitting_bytes
    return whole + sum(part.size_bytes for part in streams)


def _slack(job: FineTuning) -> float:
    if job.trainer.fixed_blocks:
        return SLACK_OF_FIXED_BLOCKS
    if job.varying_lengths:
        return SLACK_OF_VARYING
    return SLACK_WITHOUT_RECOMPUTING if job.checkpointing == "none" else SLACK_OF_DYNAMIC


def _phases(held: States, step: Graph, job: FineTuning, resident: tuple[Component, ...]) -> tuple[Phase, ...]:
    always = (*held.always, *resident)
    accumulated = (held.accumulated,) if job.gradient_accumulation_steps > 1 else ()
    live = (step.layer, step.layer_gradients)
    recomputed = live if job.checkpointing != "none" else (step.layer_gradients,)
    changed = tuple(part for part in (step.changed,) if part.size_bytes)
    changing = tuple(part for part in (step.changing,) if part.size_bytes)
    exchanged = (held.gathered, held.gathered_gradients, held.unpacked)
    head = (step.head_gradient, *step.kept, step.head_input, step.logits)
    last, first = (*step.kept, *recomputed), live
    # Where the model's own weights train, nothing but what is named here is there (benchmarks/data/gpu_sharded.csv).
    of_head = () if job.method in ("full", "frozen") else (_temporaries(head),)
    unpacked = (held.gathered, held.copies, held.unpacked_head)
    return (
        _load(held, job, resident),
        # The loss's gradient leaves the logits; every layer's activations are still there.
        Phase(
            name="backward of the head", components=(*always, *accumulated, *head, *changed, *of_head, *unpacked)
        ),
        # With checkpointing, a layer's forward pass is done once more.
        Phase(
            name="backward of the last layer",
            components=(
                *always, *accumulated, *last, *changed, *changing, _temporaries(last), *exchanged, held.copies,
            ),
        ),
        # All gradients are there; of the activations, one layer's.
        Phase(
            name="backward of the first layer",
            components=(*always, held.accumulated, *first, *changing, _temporaries(first), *exchanged),
        ),
        Phase(name=STEP, components=(*held.optimizer_step, *resident)),
    )  # fmt: skip


def _load(held: States, job: FineTuning, resident: tuple[Component, ...]) -> Phase:
    """The model is there, and the largest linear twice more while it is quantised, or a layer's experts once more."""
    twice = Component(
        name="weight being quantised", size_bytes=2 * held.unpacked.size_bytes, formula="two 16-bit copies"
    )
    # What is loaded whole is there beside the share that stays.
    whole = held.share.weights < 1 and job.method in job.trainer.loads_whole
    size = sum(part.size_bytes for part in held.weights) / held.share.weights if whole else 0.0
    loaded = Component(name="checkpoint", size_bytes=size, formula="whole, before it is sharded")
    parts = (*held.weights, held.adapter, held.workspace, twice, held.joined, loaded, *resident)
    return Phase(name="load", components=parts)


def _temporaries(moving: tuple[Component, ...]) -> Component:
    size = TEMPORARIES * sum(part.size_bytes for part in moving)
    return Component(name="operators' temporaries", size_bytes=size, formula=f"{TEMPORARIES:.0%} of what moves")


def _range(job: FineTuning) -> tuple[float, float]:
    """The relative bounds of what is measured; where several reasons hold, the widest."""
    bounds = [(LOW, HIGH) if job.trainer is TUNESTACK else (LOW_OF_OTHERS, HIGH_OF_OTHERS)]
    if job.quantization == "int8":
        bounds.append((LOW, HIGH_INT8))
    if job.varying_lengths:
        bounds.append((LOW, HIGH_VARYING))
    if job.gpus > 1:
        bounds.append((LOW_SHARDED, HIGH_SHARDED))
    lows, highs = zip(*bounds, strict=True)
    return min(lows), max(highs)
