"""Families with experts: Mixtral, Qwen MoE, DeepSeek with its latent attention, GPT-OSS."""

from dataclasses import replace
from typing import Any

from tunestack.sizing.model.architecture import ROUTER, Architecture, Attention, Layer, Linear
from tunestack.sizing.model.family_layers import gated_layer, gated_mlp, llama_model, without_window
from tunestack.sizing.model.model_config import ModelConfig

# Families whose joined experts PEFT adapts as the parameters that they are now (its
# utils/transformers_weight_conversion.py, with transformers' conversion_mapping.py; those of PEFT 0.21.2 and
# transformers 5.23): not Qwen2-MoE's, nor GPT-OSS'.
ADAPTED_EXPERTS = frozenset({
    "afmoe", "beam", "cohere2_moe", "deepseek_v2", "deepseek_v3", "deepseek_v32", "dots1", "ernie4_5_moe", "exaone_moe",
    "flex_olmo", "glm4_moe", "glm4_moe_lite", "glm4v_moe", "glm_moe_dsa", "hunyuan_v1_moe", "longcat_flash", "mellum",
    "minimax", "minimax_m2", "mixtral", "olmoe", "qwen3_moe", "qwen3_next", "qwen3_omni_moe", "qwen3_omni_moe_text",
    "qwen3_omni_moe_thinker", "solar_open",
})  # fmt: skip
# Their linears of these names, of shared experts and of dense layers, are passed by: the names are the parameters' now.
_TAKEN_NAMES = ("gate_proj", "up_proj", "down_proj")


def as_peft_adapts(layer: Layer, family: str) -> Layer:
    """A layer as PEFT adapts it: experts and routers as parameters, and linears of the experts' names not at all."""
    if family not in ADAPTED_EXPERTS:
        return layer
    mlp = tuple(_adapted(linear, passes=family != "mixtral") for linear in layer.mlp_linears)
    return replace(layer, mlp_linears=mlp)


def _adapted(linear: Linear, *, passes: bool) -> Linear:
    if not linear.is_module:
        return replace(linear, kind="adapted_parameter")
    return replace(linear, kind="passed") if passes and linear.name in _TAKEN_NAMES else linear


def _experts(
    hidden: int, width: int, *, count: int, active: int, bias: bool = False,
    matrices: tuple[str, ...] = _TAKEN_NAMES,
) -> tuple[Linear, ...]:  # fmt: skip
    """All experts of a layer; without `matrices`, where no version of transformers has them apart."""
    shape: dict[str, Any] = {"copies": count, "active": active, "bias": bias, "kind": "parameter"}
    return (
        Linear(name="experts.gate_up_proj", inputs=hidden, outputs=2 * width, matrices=matrices[:2], **shape),
        Linear(name="experts.down_proj", inputs=width, outputs=hidden, matrices=matrices[2:], leads_back=True, **shape),
    )


def _router(hidden: int, count: int, *, bias: bool = False) -> Linear:
    return Linear(name=ROUTER, inputs=hidden, outputs=count, bias=bias, kind="parameter", matrices=("gate",))


def mixtral(c: ModelConfig) -> Architecture:
    hidden, width = c.positive("hidden_size"), c.positive("intermediate_size")
    count, active = c.positive("num_local_experts"), c.experts_per_token("num_local_experts")
    mlp = (_router(hidden, count), *_experts(hidden, width, count=count, active=active, matrices=("w1", "w3", "w2")))
    copies = c.positive("num_hidden_layers")
    return llama_model(
        c, layers=(gated_layer(c, copies=copies, mlp=mlp, mlp_width=active * width, experts_per_token=active),)
    )


def _qwen_moe(c: ModelConfig, *, qkv_bias: bool, head_norms: bool, shared: int) -> Architecture:
    hidden, width = c.positive("hidden_size"), c.positive("moe_intermediate_size")
    # transformers 5 writes it by the name that most families have.
    counted = "num_experts" if c.optional_positive("num_experts") else "num_local_experts"
    count, active = c.positive(counted), c.experts_per_token(counted)
    sparse: tuple[Linear, ...] = (_router(hidden, count), *_experts(hidden, width, count=count, active=active))
    if shared:
        gate = Linear(name="shared_expert_gate", inputs=hidden, outputs=1)
        sparse = (*sparse, *gated_mlp(c, hidden, shared), gate)
    depth, step = c.positive("num_hidden_layers"), c.optional_positive("decoder_sparse_step") or 1
    dense_ones = set(c.integers("mlp_only_layers"))
    is_sparse = [index not in dense_ones and (index + 1) % step == 0 for index in range(depth)]
    make: dict[str, Any] = {"qkv_bias": qkv_bias, "output_bias": False, "head_norms": head_norms}
    layers = [
        gated_layer(
            c, copies=sum(is_sparse), mlp=sparse, mlp_width=active * width + shared, experts_per_token=active, **make
        )
    ]
    if not all(is_sparse):
        layers.append(gated_layer(c, copies=depth - sum(is_sparse), **make))
    return llama_model(c, layers=tuple(layers))


def qwen2_moe(c: ModelConfig) -> Architecture:
    return _qwen_moe(c, qkv_bias=True, head_norms=False, shared=c.positive("shared_expert_intermediate_size"))


def qwen3_moe(c: ModelConfig) -> Architecture:
    return _qwen_moe(c, qkv_bias=c.flag("attention_bias", False), head_norms=True, shared=0)


def deepseek(c: ModelConfig) -> Architecture:
    """Multi-head latent attention, some dense layers first, then routed and shared experts (DeepSeek V2 and V3)."""
    hidden, depth = c.positive("hidden_size"), c.positive("num_hidden_layers")
    width, shared = c.positive("moe_intermediate_size"), c.positive("n_shared_experts")
    count, active = c.positive("n_routed_experts"), c.experts_per_token("n_routed_experts")
    sparse = (
        _router(hidden, count),
        *_experts(hidden, width, count=count, active=active),
        *gated_mlp(c, hidden, shared * width),
    )
    dense = min(c.optional_positive("first_k_dense_replace") or 0, depth)
    layers = [_latent_layer(c, depth - dense, sparse, (active + shared) * width, active)]
    if dense:
        wide = c.positive("intermediate_size")
        layers.append(_latent_layer(c, dense, gated_mlp(c, hidden, wide), wide, 0))
    return llama_model(c, layers=tuple(layers))


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
        attention_linears=(
            *query,
            Linear(name="kv_a_proj_with_mqa", inputs=hidden, outputs=latent + rope, bias=bias),
            Linear(name="kv_b_proj", inputs=latent, outputs=heads * (nope + value)),
            Linear(name="o_proj", inputs=heads * value, outputs=hidden, bias=bias, leads_back=True),
        ),
        mlp_linears=mlp,
        mlp_width=width,
        gated=True,
        norms=2,
        norm_parameters=2 * hidden + latent + (query_rank or 0),
        experts_per_token=active,
    )


def gpt_oss(c: ModelConfig) -> Architecture:
    hidden, width = c.positive("hidden_size"), c.positive("intermediate_size")
    count, active = c.positive("num_local_experts"), c.experts_per_token("num_local_experts")
    bias = c.flag("attention_bias", True)
    mlp = (
        _router(hidden, count, bias=True),
        *_experts(hidden, width, count=count, active=active, bias=True, matrices=()),
    )
    depth = c.positive("num_hidden_layers")
    layer = gated_layer(
        c, copies=depth - depth // 2, qkv_bias=bias, output_bias=bias, mlp=mlp, mlp_width=active * width,
        experts_per_token=active, other=c.positive("num_attention_heads"),
    )  # fmt: skip
    return llama_model(c, layers=(layer, *without_window(layer, depth // 2)), lacks_sdpa=True)
