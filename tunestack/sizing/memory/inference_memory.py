"""Peak GPU memory of generating text: weights, KV cache, and the prompt's pass through one layer."""

from dataclasses import dataclass

from tunestack.sizing.job.fine_tuning import LARGEST, AttentionKernel, SizingError
from tunestack.sizing.job.parallel import check_layers_by_gpu, check_tensor_parallel
from tunestack.sizing.memory.estimate import Component, MemoryEstimate, Phase
from tunestack.sizing.memory.overhead import device_bytes, reserved_bytes, workspace_bytes
from tunestack.sizing.memory.sharding import layers_share
from tunestack.sizing.model.architecture import Architecture
from tunestack.sizing.precision import BYTES, Dtype, Quantization, bytes_per_weight

LOW, HIGH = 0.93, 1.08
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
    adapters: int = 0
    adapter_parameters: int = 0

    def __post_init__(self) -> None:
        for name in ("batch", "max_length", "gpus"):
            if not 1 <= getattr(self, name) <= LARGEST:
                raise SizingError(f"{name} must be from 1 to {LARGEST:,}, got {getattr(self, name)}")


def inference_memory(architecture: Architecture, job: Inference) -> MemoryEstimate:
    """The peak of one GPU while it answers; with several GPUs, each holds its part of weights and cache.

    Raises:
        SizingError: the model can't be shared by so many GPUs.
    """
    if job.tensor_parallel:
        check_tensor_parallel(architecture, job.gpus)
    else:
        check_layers_by_gpu(architecture, job.gpus)
    dense = BYTES[job.weight_dtype]
    packed = bytes_per_weight(job.quantization, dtype=job.weight_dtype, double_quant=job.double_quant)
    head = architecture.embedding_parameters if job.quantized_head and not architecture.tied_embeddings else 0
    linears = (architecture.quantizable_parameters(job.quantization) + head) * packed
    rest = (architecture.parameters - architecture.quantizable_parameters(job.quantization) - head) * dense
    tokens = job.batch * job.max_length
    cache = BYTES[job.cache_dtype] * sum(
        layer.copies * layer.attention.cache_width * job.batch * min(job.max_length, layer.attention.window or LONGEST)
        for layer in architecture.layers
    )
    e = 2 if dense == 4 else dense
    inner = max(layer.mlp_width * (3 if layer.gated else 2) for layer in architecture.layers)
    prompt = tokens * BYTES[job.weight_dtype] * (inner + 4 * architecture.hidden)
    if job.attention == "eager":
        heads = architecture.layers[0].attention.heads
        prompt += job.batch * heads * job.max_length**2 * (4 + e)
    unpacked = architecture.largest_linear * 2 if job.quantization != "none" else 0
    logit_bytes = (e if job.logits_of_prompt else 0) + (4 if job.fp32_logits else 0)
    logits = logit_bytes * tokens * architecture.vocabulary
    copies = 2 * architecture.quantizable_parameters(job.quantization) if job.autocast and dense == 4 else 0
    adapters = 4.0 * job.adapters * job.adapter_parameters
    if job.gpus > 1 and job.tensor_parallel:
        # Embeddings and head are on each GPU; linears and cache are divided.
        linears, prompt = linears / job.gpus, prompt / job.gpus
        # A GPU has whole heads of keys and values: beyond their number they are there more than once.
        cache /= min(job.gpus, *(layer.attention.kv_heads for layer in architecture.layers))
    elif job.gpus > 1:
        # Whole layers: the fullest GPU has the rounded-up share, and embedding or head.
        most = layers_share(architecture, job.gpus)
        linears, cache, adapters = linears * most, cache * most, adapters * most
        rest = rest / 2 if not architecture.tied_embeddings else rest
    weights = (
        Component(name="weights: linears", size_bytes=linears, formula=f"{packed:.4g} B each"),
        Component(name="weights: embeddings, head, norms", size_bytes=rest, formula=f"{dense:g} B each"),
        Component(name="adapters", size_bytes=adapters, formula="4 B each"),
        Component(name="cuBLAS workspace", size_bytes=workspace_bytes() / 4, formula="8 MiB"),
    )
    answering = Phase(
        name="prompt",
        components=(
            *weights,
            Component(name="KV cache", size_bytes=cache, formula="2 × layers × kv heads × head dim × tokens"),
            Component(name="activations: one layer", size_bytes=prompt, formula="gate, act(gate), up, and 4 × hidden"),
            Component(name="16-bit copies of weights", size_bytes=copies, formula="autocast"),
            Component(name="logits", size_bytes=logits, formula="of the whole prompt"),
            Component(name="dequantised weight", size_bytes=unpacked, formula="the largest linear, 16 bit"),
        ),
    )
    largest = max(architecture.largest_linear, head)
    twice = 4 * largest if job.quantizes_on_gpu and job.quantization != "none" else 0
    load = Phase(
        name="load",
        components=(*weights, Component(name="weight being quantised", size_bytes=twice, formula="two 16-bit copies")),
    )
    allocated = max(answering.size_bytes, load.size_bytes)
    reserved = reserved_bytes(allocated, static=linears + rest)
    return MemoryEstimate(
        phases=(load, answering), reserved_bytes=reserved, device_bytes=device_bytes(reserved, gpus=job.gpus),
        low=LOW, high=HIGH,
    )  # fmt: skip
