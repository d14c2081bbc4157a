"""What most families share: Llama-like layers of RMS norms, grouped-query attention and a gated MLP."""

from dataclasses import replace
from typing import Any

from tunestack.sizing.model.architecture import Architecture, Attention, Layer, Linear
from tunestack.sizing.model.model_config import ModelConfig


def llama_model(c: ModelConfig, *, layers: tuple[Layer, ...] | None = None, **differs: Any) -> Architecture:
    hidden = c.positive("hidden_size")
    return Architecture(
        **{
            "name": c.name,
            "vocabulary": c.positive("vocab_size"),
            "hidden": hidden,
            "layers": layers or (gated_layer(c, copies=c.positive("num_hidden_layers")),),
            "tied_embeddings": c.flag("tie_word_embeddings", False),
            "final_norm_parameters": hidden,
            **differs,
        }
    )


def gated_layer(
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
    hidden, attention = c.positive("hidden_size"), attention_of(c, qk_norm=head_norms)
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
    output_bias = bias if output_bias is None else output_bias
    out = Linear(name="o_proj", inputs=q, outputs=hidden, bias=output_bias, leads_back=True)
    width = c.positive("intermediate_size") if mlp_width is None else mlp_width
    return Layer(
        copies=copies,
        attention=attention,
        attention_linears=(*inner, out),
        mlp_linears=mlp if mlp is not None else gated_mlp(c, hidden, int(width), fused=fused),
        mlp_width=width,
        gated=True,
        norms=norms,
        norm_parameters=norms * hidden + (2 * attention.head_dim if head_norms else 0),
        other_parameters=other,
        experts_per_token=experts_per_token,
    )


def attention_of(c: ModelConfig, *, qk_norm: bool = False) -> Attention:
    heads = c.positive("num_attention_heads")
    head_dim = c.optional_positive("head_dim") or c.divides("hidden_size", heads, "num_attention_heads")
    kv_heads = c.optional_positive("num_key_value_heads") or heads
    c.must_divide("num_attention_heads", heads, "num_key_value_heads", kv_heads)
    window = c.optional_positive("sliding_window") if c.flag("use_sliding_window", True) else None
    return Attention(
        heads=heads, kv_heads=kv_heads, head_dim=head_dim, value_dim=head_dim, window=window, qk_norm=qk_norm
    )


def gated_mlp(c: ModelConfig, hidden: int, width: int, *, fused: bool = False) -> tuple[Linear, ...]:
    bias = c.flag("mlp_bias", False)
    down = Linear(name="down_proj", inputs=width, outputs=hidden, bias=bias, leads_back=True)
    if fused:
        return (Linear(name="gate_up_proj", inputs=hidden, outputs=2 * width, bias=bias), down)
    return (
        Linear(name="gate_proj", inputs=hidden, outputs=width, bias=bias),
        Linear(name="up_proj", inputs=hidden, outputs=width, bias=bias),
        down,
    )


def without_window(layer: Layer, copies: int) -> tuple[Layer, ...]:
    return (replace(layer, copies=copies, attention=replace(layer.attention, window=None)),) if copies else ()
