"""A language model as its linear layers, norms and attention: what memory, FLOPs and adapters are counted from."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from tunestack.sizing.precision import BITSANDBYTES, Quantization


@dataclass(frozen=True, kw_only=True)
class Linear:
    """A weight matrix, in features × out features; `copies` of it for a layer's experts, `active` of them per token."""

    name: str
    inputs: int
    outputs: int
    bias: bool = False
    copies: int = 1
    active: float = 1
    # Experts of transformers 5 are one three-dimensional parameter, and routers a bare one: no nn.Linear, so
    # bitsandbytes doesn't touch them; whether LoRA does says `peft`.
    is_module: bool = True
    # Before transformers 5 most families had a nn.Linear for each of an expert's matrices.
    was_module: bool = False
    # What PEFT from 0.20 makes of it where transformers 5 joined a checkpoint's experts: `parameter`, an adapter on the
    # bare parameter of what `formerly` were matrices of these names; `passed`, none, since its name is the parameter's.
    peft: Literal["", "parameter", "passed"] = ""
    formerly: tuple[str, ...] = ()
    # Of a class that derives from nn.Linear: LoRA adapts it, and bitsandbytes gets it from transformers 4 alone.
    is_derived: bool = False
    # Whether it leads back to the residual stream: the attention's last linear, and the MLP's.
    leads_back: bool = False

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
            if linear.name != "router" and ((linear.is_module and not linear.is_derived) or not modules_only)
        )

    def unquantized_linears(self, quantization: Quantization) -> int:
        """Weights of linears that bitsandbytes never gets, since their class derives from nn.Linear (Falcon's)."""
        derived = [(layer, linear) for layer, linear in self.linears() if linear.is_derived]
        return sum(layer.copies * linear.weight for layer, linear in derived) if quantization in BITSANDBYTES else 0

    def unquantized_experts(self, quantization: Quantization) -> int:
        """Weights of experts that a quantisation leaves as they are, since they are no modules of their own."""
        if quantization not in BITSANDBYTES:
            return 0
        return sum(
            layer.copies * linear.weight
            for layer, linear in self.linears()
            if not linear.is_module and linear.name != "router"
        )

    def with_expert_modules(self) -> "Architecture":
        """The same as classes build it whose experts are modules: adapted and quantised like any other linear."""
        return self._with_linears(
            lambda linear: replace(linear, is_module=linear.is_module or linear.was_module)
        ).with_modules_adapted()

    def with_modules_adapted(self) -> "Architecture":
        """The same as PEFT before 0.20 adapts it: linears alone."""
        return self._with_linears(lambda linear: replace(linear, peft=""))

    def with_quantized_classes(self) -> "Architecture":
        """The same as transformers 4 hands it to bitsandbytes, which took what derives from nn.Linear, too."""
        return self._with_linears(lambda linear: replace(linear, is_derived=False))

    def without_transformers(self) -> "Architecture":
        """The same in a framework's own classes: plain linears, fused activations, repeated keys and values."""
        plain = self.with_quantized_classes()
        layers = (replace(layer, attention=replace(layer.attention, lacks_kernel=False)) for layer in plain.layers)
        return replace(plain, layers=tuple(layers), activation="")

    def _with_linears(self, change: Callable[[Linear], Linear]) -> "Architecture":
        layers = (
            replace(
                layer,
                attention_linears=tuple(change(linear) for linear in layer.attention_linears),
                mlp_linears=tuple(change(linear) for linear in layer.mlp_linears),
            )
            for layer in self.layers
        )
        return replace(self, layers=tuple(layers))

    @property
    def largest_linear(self) -> int:
        return max(linear.inputs * linear.outputs for _, linear in self.linears())

    @property
    def largest_joined_experts(self) -> int:
        """The most parameters of one bare parameter that transformers joins from the checkpoint's experts; or 0."""
        joined = (linear.weight for _, linear in self.linears() if not linear.is_module and linear.name != "router")
        return max(joined, default=0)

    @property
    def largest_layer(self) -> int:
        return max(layer.parameters for layer in self.layers)
