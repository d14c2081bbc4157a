"""What the forward pass keeps for the backward pass, tensor by tensor, as PyTorch's autograd keeps it.

Counted after Korthikanti et al. (arXiv 2205.05198), recounted for gated MLPs, RMS norms, grouped-query attention,
frozen weights (whose linears need no input) and adapters (whose linears do). All figures are bytes per token of one
layer, unless said otherwise.
"""

from dataclasses import dataclass

from tunestack.sizing.job.fine_tuning import FineTuning
from tunestack.sizing.job.targets import is_parameter
from tunestack.sizing.job.trainable import is_targeted
from tunestack.sizing.model.architecture import Architecture, Layer, Linear
from tunestack.sizing.precision import BITSANDBYTES

FP32 = 4
MASK = 1
# The softmax's backward pass has its incoming and its outgoing gradient in fp32, beside the scores that are kept.
SCORES_BACKWARD = 2 * FP32
# Activation functions that transformers writes in Python, operator by operator (its activations.py): bytes that each
# number of theirs keeps in 16 bit, and under autocast, whose `pow` is fp32, as is all that follows from it. All others
# are one kernel, and keep their input. Kept tensors were counted by torch's `saved_tensors_hooks`; `gelu_new` under
# autocast on an H100 (benchmarks/data/gpu_other.csv, Phi 2).
COMPOSED = {
    "gelu_new": (8, 14), "gelu_accurate": (8, 14), "gelu_python_tanh": (8, 14), "gelu_python": (6, 6),
    "gelu_fast": (14, 14), "quick_gelu": (4, 4), "gelu_10": (4, 4), "clamped_swiglu": (8, 8),
    "xielu": (9, 14), "sqrtsoftplus": (4, 4),
}  # fmt: skip
# Linears of queries, keys and values together. Without rotation (GPT-2) all three are views, and kept once.
_TOGETHER = ("qkv_proj", "query_key_value")
WIDENING = ("gelu_new", "gelu_accurate", "gelu_python_tanh")


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
    e, hidden, width = job.compute_bytes, architecture.hidden, job.tensor_parallel
    inside = 1 if job.trainer.in_place_gradients or not layer.gated else 3
    scores = _scores(architecture, layer, job) / width
    backward = e * layer.mlp_width * inside / width + 2 * e * hidden
    scores_backward = SCORES_BACKWARD * layer.attention.heads * job.max_length / width if scores else 0.0
    return LayerActivations(
        norms=_norms(architecture, layer, job, trains=trains),
        attention=_attention(architecture, layer, job, trains=trains) / width,
        scores=scores,
        mlp=_mlp(architecture, layer, job, trains=trains),
        adapters=sum(_adapter_input(job, linear) for linear in layer.linears if _reads_input(job, linear)) / width,
        backward=max(backward, scores_backward),
    )


def _norms(architecture: Architecture, layer: Layer, job: FineTuning, *, trains: bool) -> float:
    """RMS norms' fp32 copies, and what the linears after each norm keep of its output."""
    e, hidden, width = job.compute_bytes, architecture.hidden, job.tensor_parallel
    # Fused, a norm keeps its input alone, as it is.
    upcasts = architecture.rms_norm and not job.fuses_layers
    upcast = FP32 * hidden if upcasts else e * hidden
    scaled = e * hidden if upcasts and trains else 0
    kept = layer.norms * (upcast + scaled) / width
    # A norm's output is the input of the linears after it: one tensor, however many of them keep it.
    for linears in (layer.attention_linears, layer.mlp_linears):
        if any(_keeps(job, linear, trains) for linear in linears if linear.inputs == hidden):
            kept += e * hidden / width
    if layer.attention.qk_norm:
        heads = layer.attention.query_width + layer.attention.kv_heads * layer.attention.head_dim
        kept += ((e if job.fuses_layers else FP32) + (e if upcasts and trains else 0)) * heads / width
    return kept


def _attention(architecture: Architecture, layer: Layer, job: FineTuning, *, trains: bool) -> float:
    """Queries, keys and values, the softmax's sums, and the result."""
    e, attention, eager = job.compute_bytes, layer.attention, _is_eager(architecture, layer, job)
    # Eager attention repeats keys and values for every head.
    kv = attention.heads * (attention.head_dim + attention.value_dim) if eager else attention.key_value_width
    kept = e * (attention.query_width + kv) + FP32 * attention.heads
    # The values are a view of what one linear makes of all three, which stays for their sake.
    if any(linear.name in _TOGETHER for linear in layer.attention_linears) and not architecture.position_parameters:
        kept += e * (attention.query_width + attention.kv_heads * attention.head_dim)
    # Phi 3's queries are laid out again: attention's result, laid out as they are, is copied for the next linear.
    if layer.attention_linears[0].name == "qkv_proj":
        kept += e * attention.output_width
    kept_out = not eager or _keeps(job, layer.attention_output, trains)
    return kept + (e * attention.output_width if kept_out else 0)


def _scores(architecture: Architecture, layer: Layer, job: FineTuning) -> float:
    """Softmax keeps its fp32 result, the product with the values its 16-bit copy, and a cap its tanh."""
    if not _is_eager(architecture, layer, job):
        return 0
    # Where PyTorch has no fused kernel, its own of single operators computes in fp32 all along.
    e, by_class = job.compute_bytes, job.attention == "eager" or architecture.softcaps
    product = e if by_class and e < FP32 else 0
    capped = e if architecture.softcaps else 0
    return layer.attention.heads * job.max_length * (FP32 + product + capped)


def _mlp(architecture: Architecture, layer: Layer, job: FineTuning, *, trains: bool) -> float:
    e, hidden = job.compute_bytes, architecture.hidden
    # Gate's result and up; fused, the activation is computed again.
    inside = 2 - job.fuses_layers if layer.gated else 0
    kept = (
        (_of_activation(architecture, layer, job, trains=trains) + e * inside) * layer.mlp_width / job.tensor_parallel
    )
    last = [linear for linear in layer.mlp_linears if linear.leads_back and _keeps(job, linear, trains)]
    kept += e * sum(linear.inputs * linear.active for linear in last) / job.tensor_parallel
    if any(linear.name == "shared_expert_gate" for linear in layer.mlp_linears):
        kept += e * hidden
    if layer.experts_per_token:
        # Each token's rows are gathered for its experts, and their results kept for the router's gradient.
        reads = trains or any(is_targeted(job, linear) and is_parameter(linear) for linear in layer.mlp_linears)
        kept += e * hidden * layer.experts_per_token * (2 if reads else 1)
    if job.is_quantized and job.trainer.quantized_inputs == "fp32":
        # Each distinct input once: q, k and v share one, gate and up another.
        kept += FP32 * (2 * hidden + layer.attention.output_width + layer.mlp_width)
    return kept


def _is_eager(architecture: Architecture, layer: Layer, job: FineTuning) -> bool:
    attention = layer.attention
    groups = job.trainer.passes_groups and attention.kv_heads < attention.heads and not job.takes_groups
    refused = architecture.softcaps or attention.lacks_kernel or groups
    return job.attention == "eager" or (refused and job.attention == "sdpa")


def _of_activation(architecture: Architecture, layer: Layer, job: FineTuning, *, trains: bool) -> float:
    """Bytes that the activation function keeps of each of its numbers."""
    e = job.compute_bytes
    if architecture.activation == "relu":
        # It keeps its result, which the next linear reads.
        return 0 if any(linear.leads_back and _keeps(job, linear, trains) for linear in layer.mlp_linears) else e
    if architecture.activation not in COMPOSED or job.fuses_layers:
        return e
    plain, autocast = COMPOSED[architecture.activation]
    if e == FP32:
        return 2 * plain
    return autocast + (FP32 - e if _widens_stream(architecture, job) else 0)


def _widens_stream(architecture: Architecture, job: FineTuning) -> bool:
    """Whether the residual stream becomes fp32: bitsandbytes' linears answer in the type that they were asked in."""
    return architecture.activation in WIDENING and job.quantization in BITSANDBYTES and not job.fuses_layers


def checkpoint_bytes(architecture: Architecture, job: FineTuning) -> float:
    """Bytes per token that a checkpointed layer keeps: its input."""
    wide = _widens_stream(architecture, job)
    return (FP32 if wide else job.stream_bytes) * architecture.hidden


def _reads_input(job: FineTuning, linear: Linear) -> bool:
    """Whether an adapter on the linear computes with what the linear reads."""
    return is_targeted(job, linear) and not is_parameter(linear)


def _keeps(job: FineTuning, linear: Linear, trains: bool) -> bool:
    """Whether the linear's own input is kept: for its weight's gradient, or by a quantised kernel that always does.

    An adapter without dropout on 16-bit numbers reads the very same tensor.
    """
    # An adapter that changes the parameter itself makes it one that trains.
    changed = is_targeted(job, linear) and is_parameter(linear)
    shares = _reads_input(job, linear) and job.lora_dropout == 0 and _adapters_cast_nothing(job)
    kernel = job.is_quantized and job.trainer.quantized_inputs not in (None, "fp32")
    return trains or changed or shares or kernel


def _adapters_cast_nothing(job: FineTuning) -> bool:
    """Whether an adapter reads the linear's own input: one of 16-bit numbers does, and so does one on a linear of
    bitsandbytes', whose class casts nothing under autocast (PEFT's tuners/lora/bnb.py, `requires_conversion`).
    """
    return job.adapter_dtype == job.compute_dtype or job.quantization in BITSANDBYTES


def _adapter_input(job: FineTuning, linear: Linear) -> float:
    """Bytes per token of an adapter's own copies: dropout's mask and result, or autocast's 16-bit copy."""
    e = job.compute_bytes
    rank = e * job.r
    if job.lora_dropout > 0:
        return (MASK + e) * linear.inputs * linear.active + rank
    if not _adapters_cast_nothing(job):
        return e * linear.inputs * linear.active + rank
    return rank
