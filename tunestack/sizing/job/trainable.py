"""Which parameters train, and which linears an adapter sits on."""

from tunestack.sizing.job.fine_tuning import FineTuning, SizingError
from tunestack.sizing.job.targets import is_named, is_parameter, is_reached, names_of, takes_adapter
from tunestack.sizing.model.architecture import Architecture, Layer, Linear

# The width of Houlsby et al.'s adapters.
BOTTLENECK = 64
# What the short names of recipes and papers mean in models that fuse the three.
_FUSED_QKV = ("qkv_proj", "c_attn", "query_key_value")
_MEANS = {
    "q_proj": ("q_proj", "q_b_proj", *_FUSED_QKV),
    "k_proj": ("k_proj", "kv_b_proj", *_FUSED_QKV),
    "v_proj": ("v_proj", "kv_b_proj", *_FUSED_QKV),
    "o_proj": ("o_proj", "dense", "c_proj"),
    "gate_proj": ("gate_proj", "gate_up_proj"),
    "up_proj": ("up_proj", "gate_up_proj", "fc1", "dense_h_to_4h", "c_fc"),
    "down_proj": ("down_proj", "fc2", "dense_4h_to_h", "mlp.c_proj"),
}


def is_targeted(job: FineTuning, linear: Linear) -> bool:
    """Whether an adapter sits on the linear. PEFT's "all-linear" takes every nn.Linear but the head, and the joined
    experts of some families (`families_experts.ADAPTED_EXPERTS`).
    """
    if not job.trains_adapters or not takes_adapter(linear):
        return False
    if is_parameter(linear):
        return is_reached(linear, job.target_modules)
    if "all-linear" in job.target_modules:
        return True
    return any(is_named(target, linear.name) or linear.name in _MEANS.get(target, ()) for target in job.target_modules)


def saved_parameters(architecture: Architecture, job: FineTuning) -> int:
    """Parameters of the copies that `modules_to_save` trains."""
    return len(set(job.modules_to_save)) * architecture.embedding_parameters


def adapts_head(job: FineTuning) -> bool:
    return job.trains_adapters and "lm_head" in job.target_modules


def check_rank(architecture: Architecture, job: FineTuning) -> None:
    """Refuse a rank that a targeted linear doesn't have.

    Raises:
        SizingError: the rank is above the width, or no linear is targeted.
    """
    if not job.trains_adapters:
        return
    targeted = [linear for _, linear in architecture.linears() if is_targeted(job, linear)]
    if not targeted:
        raise SizingError(
            f"target_modules {', '.join(job.target_modules)} name no linear of {architecture.name}; "
            f"it has {', '.join(names_of(architecture))}"
        )
    if job.method == "dora" and any(is_parameter(linear) for linear in targeted):
        raise SizingError(
            f"PEFT has no DoRA for the joined experts of {architecture.name}: name the attention's linears alone"
        )
    width = min(min(linear.inputs, architecture.hidden) for linear in targeted)
    if job.r > width:
        raise SizingError(f"r {job.r} is above the width of the layers that it adapts ({width})")


def adapter_parameters(architecture: Architecture, job: FineTuning) -> int:
    """Parameters of the adapters: r × (in + out) for each linear (arXiv 2106.09685), and DoRA's magnitude of `out`."""
    total = 0
    for layer, linear in architecture.linears():
        if is_targeted(job, linear):
            magnitude = linear.outputs if job.method == "dora" else 0
            rank = job.r * (len(linear.target_names) if is_parameter(linear) else 1)
            total += layer.copies * linear.copies * (rank * (linear.inputs + linear.outputs) + magnitude)
    if adapts_head(job):
        total += job.r * (architecture.hidden + architecture.vocabulary)
    return total


def added_parameters(architecture: Architecture, job: FineTuning) -> int:
    """Parameters that the method adds to the model, all of them trainable."""
    widths = [(layer.copies, layer.attention) for layer in architecture.layers]
    if job.trains_adapters:
        return adapter_parameters(architecture, job)
    if job.method == "prompt_tuning":
        return job.virtual_tokens * architecture.hidden
    if job.method == "prefix_tuning":
        return sum(copies * job.virtual_tokens * attention.key_value_width for copies, attention in widths)
    if job.method == "p_tuning":
        # Embedding and the encoder's three linears of the model's own width (PEFT's PromptEncoder).
        hidden = architecture.hidden
        return job.virtual_tokens * hidden + 3 * (hidden * hidden + hidden)
    if job.method == "adapter":
        # Two bottlenecks a layer, after attention and after the MLP (arXiv 1902.00751).
        hidden, width = architecture.hidden, BOTTLENECK
        return architecture.depth * 2 * (2 * hidden * width + width + hidden)
    return 0


def trained_layers(architecture: Architecture, job: FineTuning) -> int:
    """How many of the last layers are trained as they are."""
    if job.method == "full":
        return architecture.depth
    if job.method == "frozen":
        if not 1 <= job.trainable_layers <= architecture.depth:
            raise SizingError(
                f"trainable_layers must be from 1 to {architecture.depth}, the layers of {architecture.name}, "
                f"got {job.trainable_layers}"
            )
        return job.trainable_layers
    return 0


def trained_model_parameters(architecture: Architecture, job: FineTuning) -> int:
    """The model's own parameters that train: all, or the last layers' (with the head and the norm before it)."""
    if job.method == "full":
        return architecture.parameters - architecture.tower_parameters
    if job.method == "frozen":
        layers = last_layers(architecture, trained_layers(architecture, job))
        inside = sum(count * layer.parameters for layer, count in layers)
        return inside + architecture.head_parameters + architecture.final_norm_parameters
    return 0


def last_layers(architecture: Architecture, count: int) -> list[tuple[Layer, int]]:
    """The last `count` layers as (kind of layer, how many). Kinds are taken in proportion: their order isn't kept."""
    parts = [divmod(layer.copies * count, architecture.depth) for layer in architecture.layers]
    missing = count - sum(whole for whole, _ in parts)
    # What is left over goes to the kinds that rounding down took the most from.
    raised = sorted(range(len(parts)), key=lambda index: -parts[index][1])[:missing]
    return [
        (layer, whole + (index in raised))
        for index, (layer, (whole, _)) in enumerate(zip(architecture.layers, parts, strict=True))
    ]
