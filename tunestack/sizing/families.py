"""config.json → Architecture, family by family: the layers that transformers builds from it, with its defaults."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from tunestack.sizing.architecture import Architecture, Attention, Layer, Linear
from tunestack.sizing.model_config import ModelConfig

Family = Callable[[ModelConfig], Architecture]


def from_config(config: Mapping[str, Any], *, name: str) -> Architecture:
    """The architecture that a Hugging Face `config.json` describes.

    Raises:
        ModelConfigError: its family isn't known, a field is missing, or fields contradict each other.
    """
    read = ModelConfig(config, name=name)
    family = read.choose("model_type", FAMILIES)
    return FAMILIES[family](read)


def _llama(c: ModelConfig, *, layers: tuple[Layer, ...] | None = None, **differs: Any) -> Architecture:
    hidden = c.positive("hidden_size")
    return Architecture(
        **{
            "name": c.name,
            "vocabulary": c.positive("vocab_size"),
            "hidden": hidden,
            "layers": layers or (_layer(c, copies=c.positive("num_hidden_layers")),),
            "tied_embeddings": c.flag("tie_word_embeddings", False),
            "final_norm_parameters": hidden,
            **differs,
        }
    )


def _layer(
    c: ModelConfig,
    *,
    copies: int,
    qkv_bias: bool | None = None,
    output_bias: bool | None = None,
    norms: int = 2,
    head_norms: bool = False,
    fused: bool = False,
    mlp: tuple[Linear, ...] | None = None,
    mlp_width: float | None = None,
    experts_per_token: int = 0,
    other: int = 0,
) -> Layer:
    """A Llama-like layer: RMS norms, separate q, k, v, o, and a gated MLP."""
    hidden, attention = c.positive("hidden_size"), _attention(c, qk_norm=head_norms)
    bias = c.flag("attention_bias", False)
    qkv = bias if qkv_bias is None else qkv_bias
    q, kv = attention.query_width, attention.kv_heads * attention.head_dim
    inner: tuple[Linear, ...]
    if fused:
        inner = (Linear(name="qkv_proj", inputs=hidden, outputs=q + 2 * kv, bias=qkv),)
    else:
        inner = (
            Linear(name="q_proj", inputs=hidden, outputs=q, bias=qkv),
            Linear(name="k_proj", inputs=hidden, outputs=kv, bias=qkv),
            Linear(name="v_proj", inputs=hidden, outputs=kv, bias=qkv),
        )
    out = Linear(name="o_proj", inputs=q, outputs=hidden, bias=bias if output_bias is None else output_bias)
    width = c.positive("intermediate_size") if mlp_width is None else mlp_width
    return Layer(
        copies=copies,
        attention=attention,
        linears=(*inner, out, *(mlp if mlp is not None else _gated_mlp(c, hidden, int(width), fused=fused))),
        mlp_width=width,
        gated=True,
        norms=norms,
        norm_parameters=norms * hidden + (2 * attention.head_dim if head_norms else 0),
        other_parameters=other,
        experts_per_token=experts_per_token,
    )


def _attention(c: ModelConfig, *, qk_norm: bool = False) -> Attention:
    heads = c.positive("num_attention_heads")
    head_dim = c.optional_positive("head_dim") or c.divides("hidden_size", heads, "num_attention_heads")
    kv_heads = c.optional_positive("num_key_value_heads") or heads
    c.must_divide("num_attention_heads", heads, "num_key_value_heads", kv_heads)
    window = c.optional_positive("sliding_window") if c.flag("use_sliding_window", True) else None
    return Attention(
        heads=heads, kv_heads=kv_heads, head_dim=head_dim, value_dim=head_dim, window=window, qk_norm=qk_norm
    )


def _gated_mlp(c: ModelConfig, hidden: int, width: int, *, fused: bool = False) -> tuple[Linear, ...]:
    bias = c.flag("mlp_bias", False)
    down = Linear(name="down_proj", inputs=width, outputs=hidden, bias=bias)
    if fused:
        return (Linear(name="gate_up_proj", inputs=hidden, outputs=2 * width, bias=bias), down)
    return (
        Linear(name="gate_proj", inputs=hidden, outputs=width, bias=bias),
        Linear(name="up_proj", inputs=hidden, outputs=width, bias=bias),
        down,
    )


def _experts(hidden: int, width: int, *, count: int, active: int, bias: bool = False) -> tuple[Linear, ...]:
    shape: dict[str, Any] = {"copies": count, "active": active, "bias": bias, "is_module": False}
    return (
        Linear(name="experts.gate_up_proj", inputs=hidden, outputs=2 * width, **shape),
        Linear(name="experts.down_proj", inputs=width, outputs=hidden, **shape),
    )


def _router(hidden: int, count: int, *, bias: bool = False) -> Linear:
    return Linear(name="router", inputs=hidden, outputs=count, bias=bias, is_module=False)


def _qwen2(c: ModelConfig) -> Architecture:
    layer = _layer(c, copies=c.positive("num_hidden_layers"), qkv_bias=True, output_bias=False)
    return _llama(c, layers=(layer,))


def _qwen3(c: ModelConfig) -> Architecture:
    return _llama(c, layers=(_layer(c, copies=c.positive("num_hidden_layers"), head_norms=True),))


def _phi3(c: ModelConfig) -> Architecture:
    layer = _layer(c, copies=c.positive("num_hidden_layers"), qkv_bias=False, output_bias=False, fused=True)
    return _llama(c, layers=(layer,))


def _mixtral(c: ModelConfig) -> Architecture:
    hidden, width = c.positive("hidden_size"), c.positive("intermediate_size")
    count, active = c.positive("num_local_experts"), c.experts_per_token("num_local_experts")
    mlp = (_router(hidden, count), *_experts(hidden, width, count=count, active=active))
    copies = c.positive("num_hidden_layers")
    return _llama(c, layers=(_layer(c, copies=copies, mlp=mlp, mlp_width=active * width, experts_per_token=active),))


def _qwen_moe(c: ModelConfig, *, qkv_bias: bool, head_norms: bool, shared: int) -> Architecture:
    hidden, width = c.positive("hidden_size"), c.positive("moe_intermediate_size")
    count, active = c.positive("num_experts"), c.experts_per_token("num_experts")
    sparse: tuple[Linear, ...] = (_router(hidden, count), *_experts(hidden, width, count=count, active=active))
    if shared:
        gate = Linear(name="shared_expert_gate", inputs=hidden, outputs=1)
        sparse = (*sparse, *_gated_mlp(c, hidden, shared), gate)
    depth, step = c.positive("num_hidden_layers"), c.optional_positive("decoder_sparse_step") or 1
    dense_ones = set(c.integers("mlp_only_layers"))
    is_sparse = [index not in dense_ones and (index + 1) % step == 0 for index in range(depth)]
    make: dict[str, Any] = {"qkv_bias": qkv_bias, "output_bias": False, "head_norms": head_norms}
    layers = [
        _layer(
            c, copies=sum(is_sparse), mlp=sparse, mlp_width=active * width + shared, experts_per_token=active, **make
        )
    ]
    if not all(is_sparse):
        layers.append(_layer(c, copies=depth - sum(is_sparse), **make))
    return _llama(c, layers=tuple(layers))


def _qwen2_moe(c: ModelConfig) -> Architecture:
    return _qwen_moe(c, qkv_bias=True, head_norms=False, shared=c.positive("shared_expert_intermediate_size"))


def _qwen3_moe(c: ModelConfig) -> Architecture:
    return _qwen_moe(c, qkv_bias=c.flag("attention_bias", False), head_norms=True, shared=0)


def _gemma(c: ModelConfig, **differs: Any) -> Architecture:
    return _llama(c, tied_embeddings=c.flag("tie_word_embeddings", True), **differs)


def _gemma2(c: ModelConfig) -> Architecture:
    layers = _alternating(c, norms=4, every=2)
    return _gemma(c, layers=layers, softcaps=True)


def _gemma3_text(c: ModelConfig) -> Architecture:
    every = c.optional_positive("sliding_window_pattern") or c.optional_positive("_sliding_window_pattern") or 6
    return _gemma(c, layers=_alternating(c, norms=4, every=every, head_norms=True))


def _alternating(c: ModelConfig, *, norms: int, every: int, head_norms: bool = False) -> tuple[Layer, ...]:
    """Layers with a sliding window, and in every so many one that sees everything."""
    depth = c.positive("num_hidden_layers")
    whole = depth // every
    layer = _layer(c, copies=depth - whole, norms=norms, head_norms=head_norms)
    return (layer, *_without_window(layer, whole))


def _without_window(layer: Layer, copies: int) -> tuple[Layer, ...]:
    return (replace(layer, copies=copies, attention=replace(layer.attention, window=None)),) if copies else ()


def _gemma3(c: ModelConfig) -> Architecture:
    """Text and vision: SigLIP's tower and the projector are loaded with it, and frozen in a text fine-tuning."""
    text = _gemma3_text(c.part("text_config", GEMMA3_TEXT_DEFAULTS))
    vision = c.part("vision_config", SIGLIP_DEFAULTS)
    width, inner, depth = (vision.positive(key) for key in ("hidden_size", "intermediate_size", "num_hidden_layers"))
    patch = vision.positive("patch_size")
    positions = (vision.positive("image_size") // patch) ** 2
    block = 4 * (width * width + width) + 2 * width * inner + inner + width + 4 * width
    tower = 3 * patch * patch * width + width + positions * width + depth * block + 2 * width
    projector = width * text.hidden + width
    return replace(text, name=c.name, tower_parameters=tower + projector)


GEMMA3_TEXT_DEFAULTS = {
    "vocab_size": 262_208, "hidden_size": 2304, "intermediate_size": 9216, "num_hidden_layers": 26,
    "num_attention_heads": 8, "num_key_value_heads": 4, "head_dim": 256, "sliding_window": 4096,
}  # fmt: skip
SIGLIP_DEFAULTS = {
    "hidden_size": 768, "intermediate_size": 3072, "num_hidden_layers": 12, "image_size": 224, "patch_size": 16,
}  # fmt: skip


def _deepseek(c: ModelConfig) -> Architecture:
    """Multi-head latent attention, some dense layers first, then routed and shared experts (DeepSeek V2 and V3)."""
    hidden, depth = c.positive("hidden_size"), c.positive("num_hidden_layers")
    width, shared = c.positive("moe_intermediate_size"), c.positive("n_shared_experts")
    count, active = c.positive("n_routed_experts"), c.experts_per_token("n_routed_experts")
    sparse = (
        _router(hidden, count),
        *_experts(hidden, width, count=count, active=active),
        *_gated_mlp(c, hidden, shared * width),
    )
    dense = min(c.optional_positive("first_k_dense_replace") or 0, depth)
    layers = [_latent_layer(c, depth - dense, sparse, (active + shared) * width, active)]
    if dense:
        wide = c.positive("intermediate_size")
        layers.append(_latent_layer(c, dense, _gated_mlp(c, hidden, wide), wide, 0))
    return _llama(c, layers=tuple(layers))


def _latent_layer(c: ModelConfig, copies: int, mlp: tuple[Linear, ...], width: float, active: int) -> Layer:
    hidden, heads, bias = c.positive("hidden_size"), c.positive("num_attention_heads"), c.flag("attention_bias", False)
    nope, rope, value = (c.positive(key) for key in ("qk_nope_head_dim", "qk_rope_head_dim", "v_head_dim"))
    latent, query_rank = c.positive("kv_lora_rank"), c.optional_positive("q_lora_rank")
    query: tuple[Linear, ...] = (Linear(name="q_proj", inputs=hidden, outputs=heads * (nope + rope)),)
    if query_rank:
        query = (
            Linear(name="q_a_proj", inputs=hidden, outputs=query_rank, bias=bias),
            Linear(name="q_b_proj", inputs=query_rank, outputs=heads * (nope + rope)),
        )
    return Layer(
        copies=copies,
        attention=Attention(heads=heads, kv_heads=heads, head_dim=nope + rope, value_dim=value, latent=latent + rope),
        linears=(
            *query,
            Linear(name="kv_a_proj_with_mqa", inputs=hidden, outputs=latent + rope, bias=bias),
            Linear(name="kv_b_proj", inputs=latent, outputs=heads * (nope + value)),
            Linear(name="o_proj", inputs=heads * value, outputs=hidden, bias=bias),
            *mlp,
        ),
        mlp_width=width,
        gated=True,
        norms=2,
        norm_parameters=2 * hidden + latent + (query_rank or 0),
        experts_per_token=active,
    )


def _gpt_oss(c: ModelConfig) -> Architecture:
    hidden, width = c.positive("hidden_size"), c.positive("intermediate_size")
    count, active = c.positive("num_local_experts"), c.experts_per_token("num_local_experts")
    bias = c.flag("attention_bias", True)
    mlp = (_router(hidden, count, bias=True), *_experts(hidden, width, count=count, active=active, bias=True))
    depth = c.positive("num_hidden_layers")
    layer = _layer(
        c, copies=depth - depth // 2, qkv_bias=bias, output_bias=bias, mlp=mlp, mlp_width=active * width,
        experts_per_token=active, other=c.positive("num_attention_heads"),
    )  # fmt: skip
    return _llama(c, layers=(layer, *_without_window(layer, depth // 2)))


def _classic(
    c: ModelConfig,
    *,
    names: tuple[str, ...],
    depth: int,
    hidden: int,
    width: int,
    attention: Attention,
    bias: bool,
    norms: int,
    norm_bias: bool = True,
    **differs: Any,
) -> Architecture:
    """LayerNorm, q, k, v in one matrix (or three), and an MLP of two matrices around a GELU."""
    q, kv = attention.query_width, attention.key_value_width
    inner: tuple[Linear, ...] = (Linear(name=names[0], inputs=hidden, outputs=q + kv, bias=bias),)
    if "," in names[0]:
        widths = (q, kv // 2, kv // 2)
        inner = tuple(
            Linear(name=name, inputs=hidden, outputs=outputs, bias=bias)
            for name, outputs in zip(names[0].split(","), widths, strict=True)
        )
    layer = Layer(
        copies=depth,
        attention=attention,
        linears=(
            *inner,
            Linear(name=names[1], inputs=q, outputs=hidden, bias=bias),
            Linear(name=names[2], inputs=hidden, outputs=width, bias=bias),
            Linear(name=names[3], inputs=width, outputs=hidden, bias=bias),
        ),
        mlp_width=width,
        gated=False,
        norms=norms,
        norm_parameters=norms * hidden * (2 if norm_bias else 1),
    )
    return Architecture(
        **{
            "name": c.name,
            "vocabulary": c.positive("vocab_size"),
            "hidden": hidden,
            "layers": (layer,),
            "tied_embeddings": c.flag("tie_word_embeddings", True),
            "final_norm_parameters": hidden * (2 if norm_bias else 1),
            "rms_norm": False,
            **differs,
        }
    )


def _gpt2(c: ModelConfig) -> Architecture:
    hidden = c.positive("n_embd")
    heads = c.positive("n_head")
    head_dim = c.divides("n_embd", heads, "n_head")
    return _classic(
        c, names=("c_attn", "c_proj", "c_fc", "mlp.c_proj"), depth=c.positive("n_layer"), hidden=hidden,
        width=c.optional_positive("n_inner") or 4 * hidden, bias=True, norms=2,
        attention=Attention(heads=heads, kv_heads=heads, head_dim=head_dim, value_dim=head_dim),
        position_parameters=c.positive("n_positions") * hidden,
    )  # fmt: skip


def _gpt_neox(c: ModelConfig) -> Architecture:
    return _classic(
        c, names=("query_key_value", "dense", "dense_h_to_4h", "dense_4h_to_h"), hidden=c.positive("hidden_size"),
        depth=c.positive("num_hidden_layers"), width=c.positive("intermediate_size"), attention=_attention(c),
        bias=c.flag("attention_bias", True), norms=2, tied_embeddings=c.flag("tie_word_embeddings", False),
    )  # fmt: skip


def _phi(c: ModelConfig) -> Architecture:
    return _classic(
        c, names=("q_proj,k_proj,v_proj", "dense", "fc1", "fc2"), hidden=c.positive("hidden_size"),
        depth=c.positive("num_hidden_layers"), width=c.positive("intermediate_size"), attention=_attention(c),
        bias=True, norms=1, head_bias=True, tied_embeddings=c.flag("tie_word_embeddings", False),
    )  # fmt: skip


def _falcon(c: ModelConfig) -> Architecture:
    hidden, heads = c.positive("hidden_size"), c.positive("num_attention_heads")
    head_dim = c.divides("hidden_size", heads, "num_attention_heads")
    new, parallel = c.flag("new_decoder_architecture", False), c.flag("parallel_attn", True)
    shared = 1 if c.flag("multi_query", True) else heads
    kv_heads = (c.optional_positive("num_kv_heads") or heads) if new else shared
    norms = (c.optional_positive("num_ln_in_parallel_attn") or (2 if new else 1)) if parallel else 2
    return _classic(
        c, names=("query_key_value", "dense", "dense_h_to_4h", "dense_4h_to_h"), hidden=hidden,
        depth=c.positive("num_hidden_layers"), width=c.optional_positive("ffn_hidden_size") or 4 * hidden,
        attention=Attention(heads=heads, kv_heads=kv_heads, head_dim=head_dim, value_dim=head_dim),
        bias=c.flag("bias", False), norms=norms,
    )  # fmt: skip


FAMILIES: dict[str, Family] = {
    "deepseek_v2": _deepseek,
    "deepseek_v3": _deepseek,
    "falcon": _falcon,
    "gemma": _gemma,
    "gemma2": _gemma2,
    "gemma3": _gemma3,
    "gemma3_text": _gemma3_text,
    "gpt2": _gpt2,
    "gpt_neox": _gpt_neox,
    "gpt_oss": _gpt_oss,
    "llama": _llama,
    "mistral": _llama,
    "mixtral": _mixtral,
    "phi": _phi,
    "phi3": _phi3,
    "qwen2": _qwen2,
    "qwen2_moe": _qwen2_moe,
    "qwen3": _qwen3,
    "qwen3_moe": _qwen3_moe,
}
