"""A language model as its linear layers, norms and attention: what memory, FLOPs and adapters are counted from."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from tunestack.sizing.precision import BITSANDBYTES, Quantization

# What a linear is to bitsandbytes and to PEFT, by transformers 5 and PEFT from 0.20:
# `module`, a nn.Linear: quantised and adapted. `derived`, of a class of its own that derives from nn.Linear: adapted,
# and quantised by transformers 4 alone. `passed`: a nn.Linear without an adapter, since its name is a parameter's.
# `parameter`, a bare one, as transformers 5 keeps routers, and experts joined: neither. `adapted_parameter`: a bare one
# with an adapter, of as many times the rank as it has `matrices`.
LinearKind = Literal["module", "derived", "passed", "parameter", "adapted_parameter"]
ROUTER = "router"


@dataclass(frozen=True, kw_only=True)
class Linear:
    """A weight matrix, in features × out features; `copies` of it for a layer's experts, `active` of them per token."""

    name: str
    inputs: int
    outputs: int
    bias: bool = False
    copies: int = 1
    active: float = 1
    kind: LinearKind = "module"
    # The names that a bare parameter's matrices have in a checkpoint, where they are nn.Linears in older classes.
    matrices: tuple[str, ...] = ()
    # Whether it leads back to the residual stream: the attention's last linear, and the MLP's.
    leads_back: bool = False

    @property
    def is_module(self) -> bool:
        return not self.kind.endswith("parameter")

    @property
    def is_router(self) -> bool:
        return self.name == ROUTER

    @property
    def target_names(self) -> tuple[str, ...]:
        """What LoRA's `target_modules` calls it."""
        return self.matrices or (self.name,)

    @property
    def weight(self) -> int:
        return self.copies * self.inputs * self.outputs

    @property
    def parameters(self) -> int:
        return self.weight + (self.copies * self.outputs if self.bias else 0)


@dataclass(frozen=True, kw_only=True)
class Attention:
    """The shape of a layer's attention; widths are elements per token."""

    heads: int
    kv_heads: int
    head_dim: int
    value_dim: int
    # Sliding window in tokens; None attends to everything.
    window: int | None = None
    # What multi-head latent attention caches instead of keys and values; 0 where a layer caches no tokens.
    latent: int | None = None
    qk_norm: bool = False
    # Whether transformers' class passes keys and values as no fused kernel of PyTorch's takes them: one head of theirs
    # beside many of the queries, unrepeated.
    lacks_kernel: bool = False

    @property
    def query_width(self) -> int:
        return self.heads * self.head_dim

    @property
    def key_value_width(self) -> int:
        return self.kv_heads * (self.head_dim + self.value_dim)

    @property
    def output_width(self) -> int:
        return self.heads * self.value_dim

    @property
    def cache_width(self) -> int:
        """Elements that a token leaves in the KV cache of this layer."""
        return self.latent if self.latent is not None else self.key_value_width


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One kind of decoder layer, and how many of it the model has."""

    copies: int
    attention: Attention
    attention_linears: tuple[Linear, ...]
    mlp_linears: tuple[Linear, ...]
    # The MLP's inner width that one token passes through, over all active experts.
    mlp_width: float
    gated: bool
    # Norms over the residual stream, in layers of `hidden` elements.
    norms: int
    # Parameters of norms, and of whatever else is neither matrix nor bias.
    norm_parameters: int
    other_parameters: int = 0
    experts_per_token: int = 0

    @property
    def linears(self) -> tuple[Linear, ...]:
        return (*self.attention_linears, *self.mlp_linears)

    @property
    def attention_output(self) -> Linear:
        return next(linear for linear in self.attention_linears if linear.leads_back)

    @property
    def mlp_output(self) -> Linear:
        """The MLP's last linear; of a layer with experts, theirs."""
        return next(linear for linear in self.mlp_linears if linear.leads_back)

    @property
    def linear_parameters(self) -> int:
        return sum(linear.parameters for linear in self.linears)

    @property
    def parameters(self) -> int:
        return self.linear_parameters + self.norm_parameters + self.other_parameters


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """A decoder-only language model."""

    name: str
    vocabulary: int
    hidden: int
    layers: tuple[Layer, ...]
    tied_embeddings: bool
    final_norm_parameters: int
    rms_norm: bool = True
    head_bias: bool = False
    position_parameters: int = 0
    # What else is loaded with the text model, as a vision tower.
    tower_parameters: int = 0
    # Gemma 2 passes logits and attention scores through tanh: flash kernels of most versions can't.
    softcaps: bool = False
    # Whether transformers' class refuses `attn_implementation="sdpa"`.
    lacks_sdpa: bool = False
    # The MLP's activation function by transformers' name, where the configuration or its class says one.
    activation: str = ""
    # What the checkpoint's weights are in already; None where it is a format that isn't known.
    quantized_as: Quantization | None = "none"

    @property
    def depth(self) -> int:
        return sum(layer.copies for layer in self.layers)

    @property
    def embedding_parameters(self) -> int:
        return self.vocabulary * self.hidden

    @property
    def head_parameters(self) -> int:
        """The output head's own parameters: none where it is the embedding."""
        own = 0 if self.tied_embeddings else self.embedding_parameters
        return own + (self.vocabulary if self.head_bias else 0)

    @property
    def parameters(self) -> int:
        """All parameters, each counted once, as `sum(p.numel() for p in model.parameters())`."""
        inside = sum(layer.copies * layer.parameters for layer in self.layers)
        outside = self.embedding_parameters + self.head_parameters + self.position_parameters
        return inside + outside + self.final_norm_parameters + self.tower_parameters

    @property
    def active_parameters(self) -> float:
        """Parameters that one token is multiplied with: of experts, the active ones; of the embedding, none."""
        inside = sum(layer.copies * linear.inputs * linear.outputs * linear.active for layer, linear in self.linears())
        return inside + self.embedding_parameters

    def linears(self) -> Iterator[tuple[Layer, Linear]]:
        """Every linear of every kind of layer, with the layer that says how often it is there."""
        for layer in self.layers:
            for linear in layer.linears:
                yield layer, linear

    def quantizable_parameters(self, quantization: Quantization) -> int:
        """Weights of the layers' linears; embeddings, head, norms, biases and routers stay as they are.

        bitsandbytes replaces nn.Linear alone: experts, which transformers 5 keeps as bare parameters, stay 16 bit.
        """
        modules_only = quantization in BITSANDBYTES
        return sum(
            layer.copies * linear.weight
            for layer, linear in self.linears()
            if not linear.is_router and (linear.kind in ("module", "passed") or not modules_only)
        )

    def unquantized_linears(self, quantization: Quantization) -> int:
        """Weights of linears that bitsandbytes never gets, since their class derives from nn.Linear (Falcon's)."""
        derived = [(layer, linear) for layer, linear in self.linears() if linear.kind == "derived"]
        return sum(layer.copies * linear.weight for layer, linear in derived) if quantization in BITSANDBYTES else 0

    def unquantized_experts(self, quantization: Quantization) -> int:
        """Weights of experts that a quantisation leaves as they are, since they are no modules of their own."""
        if quantization not in BITSANDBYTES:
            return 0
        return sum(
            layer.copies * linear.weight
            for layer, linear in self.linears()
            if not linear.is_module and not linear.is_router
        )

    def with_kinds(self, kind_of: Callable[[Linear], LinearKind]) -> "Architecture":
        """The same, built of classes that make other kinds of linears."""

        def changed(linears: tuple[Linear, ...]) -> tuple[Linear, ...]:
            return tuple(replace(linear, kind=kind_of(linear)) for linear in linears)

        layers = (
            replace(layer, attention_linears=changed(layer.attention_linears), mlp_linears=changed(layer.mlp_linears))
            for layer in self.layers
        )
        return replace(self, layers=tuple(layers))

    def without_transformers(self) -> "Architecture":
        """The same in a framework's own classes: fused activations, repeated keys and values."""
        layers = (replace(layer, attention=replace(layer.attention, lacks_kernel=False)) for layer in self.layers)
        return replace(self, layers=tuple(layers), activation="")

    @property
    def largest_linear(self) -> int:
        return max(linear.inputs * linear.outputs for _, linear in self.linears())

    @property
    def largest_joined_experts(self) -> int:
        """The most parameters of one bare parameter that transformers joins from the checkpoint's experts; or 0."""
        joined = (linear.weight for _, linear in self.linears() if not linear.is_module and not linear.is_router)
        return max(joined, default=0)

    @property
    def largest_layer(self) -> int:
        return max(layer.parameters for layer in self.layers)
