"""Families with LayerNorm and an ungated MLP: GPT-2, GPT-NeoX, Phi-1.5 and 2, Falcon."""

from typing import Any

from tunestack.sizing.model.architecture import Architecture, Attention, Layer, Linear, LinearKind
from tunestack.sizing.model.family_layers import attention_of
from tunestack.sizing.model.model_config import ModelConfig


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
    kind: LinearKind = "module",
    **differs: Any,
) -> Architecture:
    """LayerNorm, q, k, v in one matrix (or three), and an MLP of two matrices around a GELU."""
    q, kv = attention.query_width, attention.key_value_width
    common: dict[str, Any] = {"bias": bias, "kind": kind}
    inner: tuple[Linear, ...] = (Linear(name=names[0], inputs=hidden, outputs=q + kv, **common),)
    if "," in names[0]:
        widths = (q, kv // 2, kv // 2)
        inner = tuple(
            Linear(name=name, inputs=hidden, outputs=outputs, **common)
            for name, outputs in zip(names[0].split(","), widths, strict=True)
        )
    layer = Layer(
        copies=depth,
        attention=attention,
        attention_linears=(*inner, Linear(name=names[1], inputs=q, outputs=hidden, leads_back=True, **common)),
        mlp_linears=(
            Linear(name=names[2], inputs=hidden, outputs=width, **common),
            Linear(name=names[3], inputs=width, outputs=hidden, leads_back=True, **common),
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


def gpt2(c: ModelConfig) -> Architecture:
    hidden = c.positive("n_embd")
    heads = c.positive("n_head")
    head_dim = c.divides("n_embd", heads, "n_head")
    return _classic(
        c, names=("c_attn", "c_proj", "c_fc", "mlp.c_proj"), depth=c.positive("n_layer"), hidden=hidden,
        width=c.optional_positive("n_inner") or 4 * hidden, bias=True, norms=2,
        attention=Attention(heads=heads, kv_heads=heads, head_dim=head_dim, value_dim=head_dim),
        position_parameters=c.positive("n_positions") * hidden,
    )  # fmt: skip


def gpt_neox(c: ModelConfig) -> Architecture:
    return _classic(
        c, names=("query_key_value", "dense", "dense_h_to_4h", "dense_4h_to_h"), hidden=c.positive("hidden_size"),
        depth=c.positive("num_hidden_layers"), width=c.positive("intermediate_size"), attention=attention_of(c),
        bias=c.flag("attention_bias", True), norms=2, tied_embeddings=c.flag("tie_word_embeddings", False),
    )  # fmt: skip


def phi(c: ModelConfig) -> Architecture:
    return _classic(
        c, names=("q_proj,k_proj,v_proj", "dense", "fc1", "fc2"), hidden=c.positive("hidden_size"),
        depth=c.positive("num_hidden_layers"), width=c.positive("intermediate_size"), attention=attention_of(c),
        bias=True, norms=1, head_bias=True, tied_embeddings=c.flag("tie_word_embeddings", False),
    )  # fmt: skip


def falcon(c: ModelConfig) -> Architecture:
    hidden, heads = c.positive("hidden_size"), c.positive("num_attention_heads")
    head_dim = c.divides("hidden_size", heads, "num_attention_heads")
    new, parallel = c.flag("new_decoder_architecture", False), c.flag("parallel_attn", True)
    shared = 1 if c.flag("multi_query", True) else heads
    kv_heads = (c.optional_positive("num_kv_heads") or heads) if new else shared
    norms = (c.optional_positive("num_ln_in_parallel_attn") or (2 if new else 1)) if parallel else 2
    return _classic(
        c, names=("query_key_value", "dense", "dense_h_to_4h", "dense_4h_to_h"), hidden=hidden,
        depth=c.positive("num_hidden_layers"), width=c.optional_positive("ffn_hidden_size") or 4 * hidden,
        attention=Attention(
            heads=heads, kv_heads=kv_heads, head_dim=head_dim, value_dim=head_dim,
            lacks_kernel=not new and kv_heads < heads,
        ),
        bias=c.flag("bias", False), norms=norms, kind="derived",
    )  # fmt: skip
