"""What a training step's graph holds: all layers' activations or checkpoints, one layer live, head and loss."""

from dataclasses import dataclass

from tunestack.sizing.job.fine_tuning import FineTuning
from tunestack.sizing.job.targets import is_parameter
from tunestack.sizing.job.trainable import adapts_head, is_targeted, trained_layers
from tunestack.sizing.memory.activations import LayerActivations, checkpoint_bytes, layer_activations
from tunestack.sizing.memory.estimate import Component
from tunestack.sizing.memory.loss_head import (
    FP32,
    FUSED_CHUNKS_OF_HIDDEN,
    TILE_TOKENS,
    TILE_VOCABULARY,
    bytes_per_logit,
    head_input_bytes,
    logit_bytes,
    unfitting_bytes,
)
from tunestack.sizing.memory.sharding import Shares, layers_share
from tunestack.sizing.model.architecture import Architecture, Layer, Linear
from tunestack.sizing.precision import BYTES

# Of inputs that go to the host, the one that is being written or read, and the one that computes.
OFFLOADED_IN_FLIGHT = 2
_KINDS = ("norms", "attention", "scores", "mlp", "adapters")


@dataclass(frozen=True, kw_only=True)
class Graph:
    """The components of one micro-step, in bytes on one GPU."""

    kept: tuple[Component, ...]
    layer: Component
    layer_gradients: Component
    changed: Component
    changing: Component
    head_input: Component
    head_gradient: Component
    logits: Component
    unfitting_bytes: float


def graph(architecture: Architecture, job: FineTuning, share: Shares) -> Graph:
    """The graph of one micro-step on one of a job's GPUs."""
    trained = trained_layers(architecture, job)
    tokens = job.tokens + job.virtual_tokens * job.per_device_train_batch_size
    parts = [(layer, layer_activations(architecture, layer, job, trains=trained > 0)) for layer in architecture.layers]
    # Frozen layers below the first trained one compute without a graph; `layers` puts a part of them on each GPU.
    reached = trained / architecture.depth if job.method == "frozen" else 1.0
    here = reached * tokens * (layers_share(architecture, job.gpus) if job.sharding == "layers" else 1)
    trains_head = job.method in ("full", "frozen") or adapts_head(job) or "lm_head" in job.modules_to_save
    return Graph(
        kept=_kept(architecture, job, parts, here),
        layer=Component(
            name="activations: one layer",
            size_bytes=max(part.kept for _, part in parts) * tokens,
            formula="computed once more",
        ),
        layer_gradients=Component(
            name="gradients of activations",
            size_bytes=max(part.backward for _, part in parts) * tokens,
            formula="one layer's MLP",
        ),
        changed=_changed(architecture, job),
        changing=_changing(architecture, job),
        head_input=Component(
            name="activations: head",
            size_bytes=head_input_bytes(architecture, job, trains=trains_head),
            formula="the final norm, and the head's input where it trains",
        ),
        head_gradient=_head_gradient(architecture, job, share),
        logits=Component(
            name="logits and loss",
            size_bytes=logit_bytes(architecture, job),
            formula=_loss_formula(architecture, job),
        ),
        unfitting_bytes=unfitting_bytes(architecture, job),
    )


def _loss_formula(architecture: Architecture, job: FineTuning) -> str:
    if job.loss == "fused":
        return f"a chunk of logits, {FUSED_CHUNKS_OF_HIDDEN} × the hidden states"
    if job.loss == "tiled":
        return f"a tile of {min(job.tokens, TILE_TOKENS):,} × {TILE_VOCABULARY:,}, and the hidden states' gradient"
    return f"{bytes_per_logit(architecture, job):g} B × {job.tokens:,} tokens × {architecture.vocabulary:,}"


def _kept(
    architecture: Architecture, job: FineTuning, parts: list[tuple[Layer, LayerActivations]], tokens: float
) -> tuple[Component, ...]:
    if job.checkpointing == "none":
        return tuple(
            Component(
                name=f"activations: {kind}",
                size_bytes=sum(getattr(part, kind) * layer.copies for layer, part in parts) * tokens,
                formula="kept for the backward pass",
            )
            for kind in _KINDS
        )
    # Tensor parallelism with sequence parallelism divides the residual stream, too.
    held = min(OFFLOADED_IN_FLIGHT, architecture.depth) if job.checkpointing == "offload" else architecture.depth
    inputs = checkpoint_bytes(architecture, job) * held * tokens / job.tensor_parallel
    stored = Component(name="checkpoints", size_bytes=inputs, formula=f"the inputs of {held} layers")
    if job.checkpointing != "selective":
        return (stored,)
    products = sum(layer.copies * _kept_products(layer, job) for layer in architecture.layers) * tokens
    return (stored, Component(name="activations: kept products", size_bytes=products, formula="every second product"))


def _kept_products(layer: Layer, job: FineTuning) -> float:
    """Bytes per token that selective checkpointing keeps of a layer: attention's result, and every second product.

    Norms and activation functions are computed again. A compiled layer doesn't keep the product that ends it: nothing
    of the backward pass reads it (benchmarks/data/gpu_sharded.csv: 2.0 GiB of 32 × 8,192 × 4,096 numbers).
    """
    kept = [linear for linear in layer.linears[::2] if not (job.fuses_layers and linear is layer.linears[-1])]
    outputs = sum(linear.outputs * linear.active for linear in kept)
    attention = job.compute_bytes * layer.attention.output_width + FP32 * layer.attention.heads
    return (attention + outputs * job.compute_bytes) / job.tensor_parallel


def _changed(architecture: Architecture, job: FineTuning) -> Component:
    """Experts' parameters with what adapters add to them: of all layers, where nothing is computed again."""
    kept = sum(layer.copies * changed_bytes(layer, job) for layer in architecture.layers)
    here = layers_share(architecture, job.gpus) if job.sharding == "layers" else 1.0
    size = kept * here if job.checkpointing == "none" else 0.0
    return Component(name="experts with their adapters", size_bytes=size, formula="changed parameters, kept")


def _changing(architecture: Architecture, job: FineTuning) -> Component:
    """The same of the one layer that is computed again, and the largest parameter's gradient, as large as itself."""
    again = 0.0 if job.checkpointing == "none" else max(changed_bytes(layer, job) for layer in architecture.layers)
    largest = max((linear.weight for _, linear in architecture.linears() if _is_changed(job, linear)), default=0)
    size = again + largest * BYTES[job.kept_dtype] / job.tensor_parallel
    return Component(name="experts being changed", size_bytes=size, formula="one layer's, and the largest's gradient")


def changed_bytes(layer: Layer, job: FineTuning) -> float:
    """Parameters of a layer with what adapters add to them, in the weights' type."""
    return (
        sum(linear.weight for linear in layer.linears if _is_changed(job, linear))
        * BYTES[job.kept_dtype]
        / job.tensor_parallel
    )


def _is_changed(job: FineTuning, linear: Linear) -> bool:
    return is_targeted(job, linear) and is_parameter(linear)


def _head_gradient(architecture: Architecture, job: FineTuning, share: Shares) -> Component:
    """The head's gradient while the layers' activations are all there: beside no other where none accumulate.

    A fused loss makes it whole, during the forward pass; a tiled one in fp32, and once more in the weight's type.
    """
    own_head = job.method == "full" or (job.method == "frozen" and not architecture.tied_embeddings)
    trains = (own_head or "lm_head" in job.modules_to_save) and job.loss != "score"
    alone = job.gpus == 1 and job.gradient_accumulation_steps == 1
    part = 1 / job.tensor_parallel if job.loss == "fused" else share.gradients if alone else 0.0
    each = BYTES[job.saved_dtype]
    if job.loss == "tiled":
        part, each = 1 / job.tensor_parallel, FP32 + (each if each < FP32 else 0)
    size = architecture.embedding_parameters * each * part if trains else 0
    return Component(name="gradient of the head", size_bytes=size, formula="vocabulary × hidden")
