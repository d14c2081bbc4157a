"""What the forward pass keeps for the backward pass, tensor by tensor, as PyTorch's autograd keeps it.

Counted after Korthikanti et al. (arXiv 2205.05198), recounted for gated MLPs, RMS norms, grouped-query attention,
frozen weights (whose linears need no input) and adapters (whose linears do). All figures are bytes per token of one
layer, unless said otherwise.
"""

from dataclasses import dataclass

from tunestack.sizing.job.fine_tuning import FineTuning
from tunestack.sizing.job.trainable import is_targeted
from tunestack.sizing.model.architecture import Architecture, Layer, Linear

FP32 = 4
MASK = 1


@dataclass(frozen=True, kw_only=True)
class LayerActivations:
    """Bytes per token that one layer keeps, by what keeps them; and what its backward pass needs on top."""

    norms: float
    attention: float
    scores: float
    mlp: float
    adapters: float
    backward: float

    @property
    def kept(self) -> float:
        return self.norms + self.attention + self.scores + self.mlp + self.adapters


def layer_activations(architecture: Architecture, layer: Layer, job: FineTuning, *, trains: bool) -> LayerActivations:
    """What one layer keeps per token. `trains`: whether the layer's own weights train."""
    e, hidden, attention = job.compute_bytes, architecture.hidden, layer.attention
    entering = [linear for linear in layer.linears if linear.inputs == hidden and _in_attention(layer, linear)]
    inner = [linear for linear in layer.linears if linear.inputs == hidden and not _in_attention(layer, linear)]
    out = next(linear for linear in layer.linears if linear.name in _OUT)
    down = layer.linears[-1] if not layer.experts_per_token else _named(layer, "experts.down_proj")

    upcast = FP32 * hidden if architecture.rms_norm else e * hidden
    scaled = e * hidden if architecture.rms_norm and trains else 0
    norms = layer.norms * (upcast + scaled)
    # A norm's output is the input of the linears after it: one tensor, however many of them keep it.
    norms /= job.tensor_parallel
    norms += sum(
        e * hidden / job.tensor_parallel
        for group in (entering, inner)
        if any(_keeps(job, linear, trains) for linear in group)
    )

    width = job.tensor_parallel
    eager = job.attention == "eager" or (architecture.softcaps and job.attention == "sdpa")
    kv = attention.heads * (attention.head_dim + attention.value_dim) if eager else 0
    kv = kv or attention.key_value_width
    if layer.attention.qk_norm:
        norms += FP32 * (attention.query_width + attention.kv_heads * attention.head_dim) / width
    kernel = e * (attention.query_width + kv) + FP32 * attention.heads
    kept_out = not eager or _keeps(job, out, trains)
    kernel += e * attention.output_width if kept_out else 0
    # Softmax keeps its fp32 result, and the product with the values its 16-bit copy.
    scores = attention.heads * job.max_length * (FP32 + e) if eager else 0

    inside = 3 if layer.gated else 1
    mlp = e * layer.mlp_width * (inside + (1 if _keeps(job, down, trains) else 0)) / width
    if layer.experts_per_token:
        # Each token's rows are gathered for its experts, and their results kept for the router's gradient.
        mlp += e * hidden * layer.experts_per_token * (2 if trains else 1)

    adapters = sum(_adapter_input(job, linear) for linear in layer.linears if is_targeted(job, linear))
    if job.quantization != "none" and job.quantized_inputs == "fp32":
        # Each distinct input once: q, k and v share one, gate and up another.
        mlp += FP32 * (2 * hidden + attention.output_width + layer.mlp_width)
    backward = e * layer.mlp_width * (inside if layer.gated else 1) / width + 2 * e * hidden
    return LayerActivations(
        norms=norms,
        attention=kernel / width,
        scores=scores / width,
        mlp=mlp,
        adapters=adapters / width,
        backward=max(backward, scores / width),
    )


def checkpoint_bytes(architecture: Architecture, job: FineTuning) -> float:
    """Bytes per token that a checkpointed layer keeps: its input."""
    return job.stream_bytes * architecture.hidden


_OUT = ("o_proj", "dense", "c_proj")


def _in_attention(layer: Layer, linear: Linear) -> bool:
    names = [item.name for item in layer.linears]
    return names.index(linear.name) <= next(i for i, name in enumerate(names) if name in _OUT)


def _named(layer: Layer, name: str) -> Linear:
    return next(linear for linear in layer.linears if linear.name == name)


def _keeps(job: FineTuning, linear: Linear, trains: bool) -> bool:
    """Whether the linear's own input is kept: for its weight's gradient, or by a quantised kernel that always does.

    An adapter without dropout on 16-bit numbers reads the very same tensor.
    """
    shares = is_targeted(job, linear) and job.lora_dropout == 0 and job.adapter_dtype == job.compute_dtype
    kernel = job.quantization != "none" and job.quantized_inputs not in (None, "fp32")
    return trains or shares or kernel


def _adapter_input(job: FineTuning, linear: Linear) -> float:
    """Bytes per token of an adapter's own copies: dropout's mask and result, or autocast's 16-bit copy."""
    e = job.compute_bytes
    rank = e * job.r
    if job.lora_dropout > 0:
        return (MASK + e) * linear.inputs * linear.active + rank
    if job.adapter_dtype != job.compute_dtype:
        return e * linear.inputs * linear.active + rank
    return rank
