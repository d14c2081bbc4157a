"""Peak GPU memory of a fine-tuning: states, activations, logits and buffers, at each instant that may be largest."""

from tunestack.sizing.activations import checkpoint_bytes, layer_activations
from tunestack.sizing.architecture import Architecture
from tunestack.sizing.estimate import Component, MemoryEstimate, Phase
from tunestack.sizing.fine_tuning import FineTuning
from tunestack.sizing.loss_head import BYTES_PER_LOGIT, head_input_bytes, logit_bytes
from tunestack.sizing.optimizers import Optimizer, galore_share, state_bytes
from tunestack.sizing.overhead import device_bytes, reserved_bytes, workspace_bytes
from tunestack.sizing.precision import BYTES, bytes_per_weight
from tunestack.sizing.sharding import bucket_bytes, gathered_bytes, shares
from tunestack.sizing.trainable import (
    adapts_head,
    added_parameters,
    check_rank,
    trained_layers,
    trained_model_parameters,
)

# Bounds of the true device memory around the estimate, from the errors on measured figures (docs/memory-model.md):
# one GPU and batches of one length; what varies with the data or with how a framework shards and loads; LLM.int8,
# whose fp16 outliers depend on the data.
LOW, HIGH = 0.85, 1.15
HIGH_VARYING, HIGH_INT8 = 1.3, 1.6
# FSDP's flattening beside the whole model and the shard.
LOADING_SLACK = 1.1


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
        SizingError: the job can't be (a rank above the width, more trainable layers than there are).
    """
    check_rank(architecture, job)
    parts = _Parts(architecture, job, resident)
    own = (parts.load(), parts.head(), parts.last_layer(), parts.first_layer(), parts.step())
    phases = (*before, *own)
    allocated = max(phase.size_bytes for phase in phases)
    reserved = reserved_bytes(allocated, static=parts.static_bytes(), varying=job.varying_lengths)
    return MemoryEstimate(
        phases=phases,
        reserved_bytes=reserved,
        device_bytes=device_bytes(reserved, gpus=job.gpus),
        paged_bytes=parts.paged_bytes,
        low=LOW,
        high=_high(job),
        at_most_bytes=parts.unsharded_load_bytes(),
    )


def _high(job: FineTuning) -> float:
    if job.quantization == "int8":
        return HIGH_INT8
    return HIGH_VARYING if job.varying_lengths or job.gpus > 1 else HIGH


class _Parts:
    """The components, each computed once, and the phases made of them."""

    def __init__(self, architecture: Architecture, job: FineTuning, resident: tuple[Component, ...]) -> None:
        self.architecture, self.job, self.resident = architecture, job, resident
        self.share = shares(job)
        self._states()
        self._activations()

    def _states(self) -> None:
        architecture, job, share = self.architecture, self.job, self.share
        dense = BYTES[job.weight_dtype]
        packed = bytes_per_weight(job.quantization, dtype=job.weight_dtype, double_quant=job.double_quant)
        quantised = architecture.quantizable_parameters
        head = architecture.embedding_parameters if job.quantized_head else 0
        rest = architecture.parameters - quantised - (0 if architecture.tied_embeddings else head)
        layers_bytes = quantised * packed + (0 if architecture.tied_embeddings else head * packed)
        if job.upcasts_unquantized and job.quantization != "none":
            dense = 4
        base = (layers_bytes + rest * dense) * share.weights
        self.weights = [
            Component(name="weights: linears", size_bytes=layers_bytes * share.weights, formula=f"{packed:.4g} B each"),
            Component(
                name="weights: embeddings, head, norms", size_bytes=rest * dense * share.weights,
                formula=f"{dense:g} B each",
            ),
        ]  # fmt: skip
        added, own = added_parameters(architecture, job), trained_model_parameters(architecture, job)
        added_bytes = BYTES[job.adapter_dtype]
        own_bytes = dense
        if job.cpu_offload:
            base = 0.0
            self.weights = []
        self.base_bytes = base
        zero = job.gpus > 1 and job.sharding in ("zero1", "zero2", "zero3")
        optimizer: Optimizer = "adamw_fp32" if zero and job.optimizer == "adamw" else job.optimizer
        state_own = state_bytes(optimizer, parameter_bytes=own_bytes)
        state_added = state_bytes(job.optimizer, parameter_bytes=added_bytes)
        shrink = self._low_rank_share()
        # DeepSpeed keeps fp32 weights and moments, whatever the model's dtype.
        master = 4 if (job.master_weights or zero) and own_bytes < 4 else 0
        gradient = own * (4 if job.master_weights and job.sharding == "none" else own_bytes)
        self.gradient_bytes = 0 if job.cpu_offload else gradient * share.gradients + added * added_bytes
        kept = own * (state_own.kept * shrink + master) * share.optimizer
        kept += added * state_added.kept * (share.optimizer if job.sharding != "none" else 1)
        self.paged_bytes = kept if state_own.paged else 0.0
        self.state_bytes = 0.0 if state_own.paged or job.cpu_offload else kept
        step = own * state_own.step * shrink * share.optimizer + added * state_added.step
        self.step_bytes = 0.0 if job.cpu_offload else step
        self.adapter = Component(
            name="adapter weights", size_bytes=added * added_bytes, formula=f"{added:,} × {added_bytes:g} B"
        )
        self.gradients = Component(
            name="gradients", size_bytes=self.gradient_bytes, formula=f"{own + added:,} trainable parameters"
        )
        self.states = Component(
            name="optimizer states", size_bytes=self.state_bytes, formula=f"{job.optimizer} of {own + added:,}"
        )
        layer = max(item.parameters for item in architecture.layers)
        gathered_dtype = job.compute_bytes if job.quantization == "none" else packed
        root = (architecture.embedding_parameters + architecture.head_parameters) * job.compute_bytes
        self.gathered = Component(
            name="gathered parameters",
            size_bytes=gathered_bytes(architecture, job, layer_bytes=layer * gathered_dtype, root_bytes=root),
            formula="units in flight and the root, whole",
        )
        # Gradients of gathered units are whole until they are reduced.
        whole = own and job.gpus > 1 and job.sharding in ("fsdp", "zero3")
        self.whole_gradients = Component(
            name="gathered gradients",
            size_bytes=(layer + architecture.embedding_parameters) * job.compute_bytes / job.tensor_parallel
            if whole
            else 0,
            formula="one unit and the root, before they are reduced",
        )
        self.buckets = Component(
            name="reduction buckets",
            size_bytes=bucket_bytes(job, gradient_bytes=own * own_bytes + added * added_bytes),
            formula=job.sharding,
        )
        # A 4-bit weight is unpacked for its product, and an int8 one beside its 16-bit outliers.
        unpacked = architecture.largest_linear if job.quantization != "none" else 0
        self.unpacked = Component(
            name="dequantised weight", size_bytes=unpacked * job.compute_bytes, formula="the largest linear, 16 bit"
        )
        copied = quantised * job.compute_bytes * share.weights if job.autocast and dense == 4 else 0
        self.copies = Component(name="16-bit copies of weights", size_bytes=copied, formula="autocast, kept until used")
        self.workspace = Component(name="cuBLAS workspace", size_bytes=workspace_bytes(), formula="32 MiB")

    def _low_rank_share(self) -> float:
        if not self.job.optimizer.startswith("galore"):
            return 1.0
        linears = [(layer.copies * linear.weight, linear) for layer, linear in self.architecture.linears()]
        full = sum(count for count, _ in linears)
        low = sum(
            count * galore_share(self.job.optimizer_rank, linear.inputs, linear.outputs) for count, linear in linears
        )
        outside = self.architecture.parameters - full
        return (low + outside) / self.architecture.parameters

    def _activations(self) -> None:
        architecture, job = self.architecture, self.job
        trained = trained_layers(architecture, job)
        tokens = job.tokens + job.virtual_tokens * job.micro_batch
        depth = architecture.depth
        # Frozen layers below the first trained one compute without a graph.
        live_share = trained / depth if job.method == "frozen" else 1.0
        per_device = 1 / job.gpus if job.sharding == "layers" else 1.0
        kept = {"norms": 0.0, "attention": 0.0, "scores": 0.0, "mlp": 0.0, "adapters": 0.0}
        self.layer_bytes, self.backward_bytes = 0.0, 0.0
        for layer in architecture.layers:
            part = layer_activations(architecture, layer, job, trains=trained > 0)
            for name in kept:
                kept[name] += getattr(part, name) * layer.copies * live_share * per_device * tokens
            self.layer_bytes = max(self.layer_bytes, part.kept * tokens)
            self.backward_bytes = max(self.backward_bytes, part.backward * tokens)
        stored = checkpoint_bytes(architecture, job) * tokens * depth * live_share * per_device
        # Tensor parallelism with sequence parallelism: the residual stream is divided, too.
        stored /= job.tensor_parallel
        if job.checkpointing == "full":
            self.kept = [Component(name="checkpoints", size_bytes=stored, formula="each layer's input")]
        elif job.checkpointing == "selective":
            # Attention's outputs and every second product are kept; norms and activation functions are recomputed.
            outputs = sum(layer.copies * linear.outputs * linear.active for layer, linear in architecture.linears())
            half = kept["attention"] / 2 + outputs / 2 * job.compute_bytes * tokens * live_share / job.tensor_parallel
            self.kept = [
                Component(name="checkpoints", size_bytes=stored, formula="each layer's input"),
                Component(name="activations: kept products", size_bytes=half, formula="selective checkpointing"),
            ]
        else:
            self.kept = [
                Component(name=f"activations: {name}", size_bytes=size, formula="kept for the backward pass")
                for name, size in kept.items()
            ]
        trains_head = job.method in ("full", "frozen") or adapts_head(job)
        self.head_input = Component(
            name="activations: head", size_bytes=head_input_bytes(architecture, job, trains=trains_head), formula=""
        )
        self.logits = Component(
            name="logits and loss", size_bytes=logit_bytes(architecture, job),
            formula=f"{BYTES_PER_LOGIT[job.loss]:g} B × {job.tokens:,} tokens × {architecture.vocabulary:,}",
        )  # fmt: skip
        grows = job.method in ("full", "frozen")
        self.head_gradient = Component(
            name="gradient of the head",
            size_bytes=architecture.embedding_parameters
            * BYTES[job.weight_dtype]
            * (self.share.gradients if job.sharding == "layers" else 1)
            if grows and job.gpus == 1
            else 0,
            formula="vocabulary × hidden",
        )

    def unsharded_load_bytes(self) -> float:
        """What a loader needs that puts the whole model on each GPU before it is sharded: some do."""
        if self.job.gpus == 1 or self.job.sharding not in ("fsdp", "zero3") or self.job.cpu_offload:
            return 0.0
        whole = self.base_bytes * (1 + 1 / self.share.weights) + self.adapter.size_bytes
        return device_bytes(whole * LOADING_SLACK, gpus=self.job.gpus)

    def static_bytes(self) -> float:
        beside = sum(component.size_bytes for component in self.resident)
        return self.base_bytes + self.adapter.size_bytes + self.state_bytes + self.gradient_bytes + beside

    def _always(self) -> list[Component]:
        return [*self.weights, self.adapter, self.states, self.workspace, self.buckets, *self.resident]

    def _accumulated(self) -> list[Component]:
        return [self.gradients] if self.job.gradient_accumulation > 1 else []

    def load(self) -> Phase:
        """The model is there, and the largest linear once more while it is quantised."""
        twice = Component(
            name="weight being quantised", size_bytes=2 * self.unpacked.size_bytes, formula="two 16-bit copies"
        )
        return Phase(name="load", components=(*self.weights, self.adapter, self.workspace, twice, *self.resident))

    def head(self) -> Phase:
        """The loss's gradient leaves the logits; every layer's activations are still there."""
        own = [] if self._accumulated() else [self.head_gradient]
        return Phase(
            name="backward of the head",
            components=(
                *self._always(), *self._accumulated(), *own, *self.kept, self.head_input, self.logits, self.gathered,
                self.copies,
            ),
        )  # fmt: skip

    def last_layer(self) -> Phase:
        """The last layer's backward pass begins: with checkpointing, its forward pass is done once more."""
        return Phase(
            name="backward of the last layer",
            components=(
                *self._always(), *self._accumulated(), *self.kept, *self._live(), self.gathered, self.whole_gradients,
                self.unpacked, self.copies,
            ),
        )  # fmt: skip

    def first_layer(self) -> Phase:
        """All gradients are there; of the activations, one layer's."""
        return Phase(
            name="backward of the first layer",
            components=(
                *self._always(), self.gradients, *self._live(whole=True), self.gathered, self.whole_gradients,
                self.unpacked,
            ),
        )  # fmt: skip

    def _live(self, *, whole: bool = False) -> list[Component]:
        recomputed = self.job.checkpointing != "none" or whole
        live = self.layer_bytes if recomputed else 0.0
        return [
            Component(name="activations: one layer", size_bytes=live, formula="recomputed"),
            Component(name="gradients of activations", size_bytes=self.backward_bytes, formula="one layer's MLP"),
        ]

    def step(self) -> Phase:
        """The optimizer's step: no activations, but its temporary tensors."""
        temporary = Component(name="optimizer's temporary", size_bytes=self.step_bytes, formula=self.job.optimizer)
        return Phase(name="optimizer step", components=(*self._always(), self.gradients, temporary))
