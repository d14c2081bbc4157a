"""Peak GPU memory of generating text: weights, KV cache, and the prompt's pass through one layer."""

from dataclasses import dataclass

from tunestack.sizing.job.fine_tuning import LARGEST, SizingError
from tunestack.sizing.job.length import check_length
from tunestack.sizing.job.parallel import check_layers_by_gpu, check_tensor_parallel
from tunestack.sizing.kinds import AttentionKernel
from tunestack.sizing.memory.estimate import Component, MemoryEstimate, Phase
from tunestack.sizing.memory.overhead import device_bytes, reserved_bytes, workspace_bytes
from tunestack.sizing.memory.sharding import layers_share
from tunestack.sizing.memory.states import unquantized_experts, unquantized_linears
from tunestack.sizing.model.architecture import Architecture
from tunestack.sizing.precision import BYTES, Dtype, Quantization, bytes_per_weight

# Bounds of the true device memory: published rows of two sources lie within these. Those of others need more where much
# isn't weights: what moves is known to a third or to a half more, weights to the byte.
LOW, HIGH = 0.92, 1.12
LOW_OF_MOVING, HIGH_OF_MOVING = 0.67, 1.5
# Without a sliding window, a layer caches every token.
LONGEST = 10**9


@dataclass(frozen=True, kw_only=True)
class Inference:
    """A batch of sequences being answered; `max_length` counts prompt and answer."""

    batch: int = 1
    max_length: int = 512
    weight_dtype: Dtype = "bf16"
    quantization: Quantization = "none"
    double_quant: bool = False
    cache_dtype: Dtype = "bf16"
    attention: AttentionKernel = "sdpa"
    quantized_head: bool = False
    # Loaders that quantise on the GPU hold a weight twice in 16 bit meanwhile, the head last of all.
    quantizes_on_gpu: bool = False
    # transformers before 4.45, and models with code of their own, compute the logits of the whole prompt.
    logits_of_prompt: bool = False
    # What is scored takes an fp32 copy of those logits.
    fp32_logits: bool = False
    # fp32 weights under autocast: a 16-bit copy of each.
    autocast: bool = False
    gpus: int = 1
    # Tensor parallelism, or whole layers per GPU (`device_map`).
    tensor_parallel: bool = False
    # Tensor parallelism divides embedding and head, too, by words (vLLM, transformers); litgpt's doesn't.
    divides_embeddings: bool = True
    adapters: int = 0
    adapter_parameters: int = 0

    def __post_init__(self) -> None:
        for name in ("batch", "max_length", "gpus"):
            if not 1 <= getattr(self, name) <= LARGEST:
                raise SizingError(f"{name} must be from 1 to {LARGEST:,}, got {getattr(self, name)}")


@dataclass(frozen=True, kw_only=True)
class Answering:
    """What one GPU holds while it answers, by component."""

    weights: tuple[Component, ...]
    adapters: Component
    workspace: Component
    cache: Component
    prompt: Component
    copies: Component
    logits: Component
    unpacked: Component

    @property
    def held(self) -> tuple[Component, ...]:
        """What is there before anything is asked."""
        return (*self.weights, self.adapters, self.workspace)

    @property
    def phase(self) -> Phase:
        """The prompt's pass through the model, where the most is there."""
        moving = (self.cache, self.prompt, self.copies, self.logits, self.unpacked)
        return Phase(name="prompt", components=(*self.held, *moving))


@dataclass(frozen=True, kw_only=True)
class _Share:
    """The part that the fullest GPU has of each."""

    linears: float = 1.0
    rest: float = 1.0
    cache: float = 1.0
    prompt: float = 1.0
    adapters: float = 1.0


def inference_memory(architecture: Architecture, job: Inference) -> MemoryEstimate:
    """The peak of one GPU while it answers; with several GPUs, each holds its part of weights and cache.

    Raises:
        SizingError: the model can't be shared by so many GPUs.
    """
    check_length(architecture, job.max_length)
    found = answering(architecture, job)
    load = Phase(name="load", components=(*found.held, _being_quantized(architecture, job)))
    allocated = max(found.phase.size_bytes, load.size_bytes)
    reserved = reserved_bytes(allocated, static=sum(part.size_bytes for part in found.weights))
    device = device_bytes(reserved, gpus=job.gpus)
    moving = 1 - sum(part.size_bytes for part in found.weights) / device
    return MemoryEstimate(
        phases=(load, found.phase), reserved_bytes=reserved, device_bytes=device,
        low=min(LOW, 1 - (1 - LOW_OF_MOVING) * moving), high=max(HIGH, 1 + (HIGH_OF_MOVING - 1) * moving),
    )  # fmt: skip


def answering(architecture: Architecture, job: Inference) -> Answering:
    """The components of one GPU while it answers.

    Raises:
        SizingError: the model can't be shared by so many GPUs.
    """
    share, inside = _share(architecture, job), architecture.quantizable_parameters(job.quantization)
    adapters = 4.0 * job.adapters * job.adapter_parameters * share.adapters
    copies = 2 * inside if job.autocast and job.weight_dtype == "fp32" else 0
    unpacked = architecture.largest_linear * 2 if job.quantization != "none" and inside else 0
    return Answering(
        weights=_weights(architecture, job, share),
        adapters=Component(name="adapters", size_bytes=adapters, formula="4 B each"),
        workspace=Component(name="cuBLAS workspace", size_bytes=workspace_bytes() / 4, formula="8 MiB"),
        cache=_cache(architecture, job, share),
        prompt=_prompt(architecture, job, share),
        copies=Component(name="16-bit copies of weights", size_bytes=copies, formula="autocast"),
        logits=_logits(architecture, job),
        unpacked=Component(name="dequantised weight", size_bytes=unpacked, formula="the largest linear, 16 bit"),
    )


def _share(architecture: Architecture, job: Inference) -> _Share:
    if job.tensor_parallel:
        check_tensor_parallel(architecture, job.gpus)
        # A GPU has whole heads of keys and values: beyond their number they are there more than once.
        heads, part = min(job.gpus, *(layer.attention.kv_heads for layer in architecture.layers)), 1 / job.gpus
        rest = part if job.divides_embeddings else 1.0
        return _Share(linears=part, prompt=part, cache=1 / heads, rest=rest, adapters=part)
    check_layers_by_gpu(architecture, job.gpus)
    if job.gpus == 1:
        return _Share()
    # Whole layers: the fullest GPU has the rounded-up share, and embedding or head.
    most = layers_share(architecture, job.gpus)
    return _Share(linears=most, cache=most, adapters=most, rest=1 if architecture.tied_embeddings else 1 / 2)


def _head(architecture: Architecture, job: Inference) -> int:
    """Parameters of a head that is quantised, too."""
    return architecture.embedding_parameters if job.quantized_head and not architecture.tied_embeddings else 0


def _weights(architecture: Architecture, job: Inference, share: _Share) -> tuple[Component, ...]:
    dense = BYTES[job.weight_dtype]
    packed = bytes_per_weight(job.quantization, dtype=job.weight_dtype, double_quant=job.double_quant)
    quantized = architecture.quantizable_parameters(job.quantization) + _head(architecture, job)
    experts = architecture.unquantized_experts(job.quantization)
    derived = architecture.unquantized_linears(job.quantization)
    linears = quantized * packed * share.linears
    rest = (architecture.parameters - quantized - experts - derived) * dense * share.rest
    return (
        Component(name="weights: linears", size_bytes=linears, formula=f"{packed:.4g} B each"),
        Component(name="weights: embeddings, head, norms", size_bytes=rest, formula=f"{dense:g} B each"),
        *unquantized_experts(experts * dense * share.linears, each=dense),
        *unquantized_linears(derived * dense * share.linears, each=dense),
    )


def _cache(architecture: Architecture, job: Inference, share: _Share) -> Component:
    elements = sum(
        layer.copies * layer.attention.cache_width * job.batch * min(job.max_length, layer.attention.window or LONGEST)
        for layer in architecture.layers
    )
    size = BYTES[job.cache_dtype] * elements * share.cache
    return Component(name="KV cache", size_bytes=size, formula="2 × layers × kv heads × head dim × tokens")


def _prompt(architecture: Architecture, job: Inference, share: _Share) -> Component:
    tokens, dense = job.batch * job.max_length, BYTES[job.weight_dtype]
    inner = max(layer.mlp_width * (3 if layer.gated else 2) for layer in architecture.layers)
    size = tokens * dense * (inner + 4 * architecture.hidden)
    if job.attention == "eager" or architecture.layers[0].attention.lacks_kernel:
        heads = architecture.layers[0].attention.heads
        size += job.batch * heads * job.max_length**2 * (4 + _sixteen_bit(job))
    formula = "gate, act(gate), up, and 4 × hidden"
    return Component(name="activations: one layer", size_bytes=size * share.prompt, formula=formula)


def _logits(architecture: Architecture, job: Inference) -> Component:
    each = (_sixteen_bit(job) if job.logits_of_prompt else 0) + (4 if job.fp32_logits else 0)
    size = each * job.batch * job.max_length * architecture.vocabulary
    return Component(name="logits", size_bytes=size, formula="of the whole prompt")


def _being_quantized(architecture: Architecture, job: Inference) -> Component:
    largest = max(architecture.largest_linear, _head(architecture, job))
    quantized = job.quantization != "none" and architecture.quantizable_parameters(job.quantization)
    size = 4 * largest if job.quantizes_on_gpu and quantized else 0
    return Component(name="weight being quantised", size_bytes=size, formula="two 16-bit copies")


def _sixteen_bit(job: Inference) -> float:
    """Bytes of a number that is computed with: fp32 weights compute in 16 bit."""
    dense = BYTES[job.weight_dtype]
    return 2 if dense == 4 else dense
