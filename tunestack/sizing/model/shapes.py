"""Tensor names and shapes → Architecture: for families that nobody wrote down, what the checkpoint or class itself has.

Shapes say what is there; the configuration says what shapes can't: how many heads the attention has, and how many
experts a token passes through.
"""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tunestack.sizing.model.architecture import ROUTER, Architecture, Attention, Layer, Linear
from tunestack.sizing.model.families import activation_of
from tunestack.sizing.model.families_experts import as_peft_adapts
from tunestack.sizing.model.model_config import ModelConfigError
from tunestack.sizing.model.quantized import quantization_of

Shapes = Mapping[str, tuple[int, ...]]

_LAYER = re.compile(r"(?P<stack>(?:.*\.)?(?:layers|h|blocks|block|decoder))\.(?P<index>\d+)\.(?P<rest>.+)")
_BESIDE = re.compile(r"visual|vision|audio|image|speech|tower|projector|multi_modal|mtp\.")
_EXPERT = re.compile(r"(?P<before>.*experts)\.(?P<index>\d+)\.(?P<name>.+)")
_EMBEDDING = re.compile(r"(embed_tokens|wte|word_embeddings|embed_in|tok_embeddings|embeddings?)\.weight$")
_HEAD = re.compile(r"(^|\.)(lm_head|embed_out|output)\.weight$")
# State spaces, linear attention and convolutions keep a state of one size: nothing is cached for a token.
_CACHED = re.compile(r"(?<!linear_)(?<!lin_)(attn|attention)\.|(^|\.)(k_proj|wk|key)\.", re.IGNORECASE)
_ATTENTION = re.compile(r"attn|attention|mixer|mamba|conv", re.IGNORECASE)
_BACK = ("o_proj", "out_proj", "dense", "down_proj", "fc2", "c_proj", "w2", "wo", "dense_4h_to_h", "output_linear")
_QUERY = ("q_proj", "wq", "query", "q_b_proj")
_KEY = ("k_proj", "wk", "key")
_NORM = re.compile(r"norm.*weight$")
_HEAD_NORM = re.compile(r"(^|\.)(q|k|query|key)_(layer)?norm\.")
_TEXT_CONFIGS = ("text_config", "llm_config", "language_config", "thinker_config")


def from_shapes(shapes: Shapes, config: Mapping[str, Any], *, name: str, joins_experts: bool = False) -> Architecture:
    """The architecture of a decoder whose tensors have these names and shapes; what stands beside it is a tower.

    `joins_experts`: they are a checkpoint's, whose single experts transformers 5 joins to one parameter.

    Raises:
        ModelConfigError: there are no layers in them, or no embedding.
    """
    text = _text_config(config)
    stack, layers = _layers(shapes, name)
    embedding = _embedding(shapes, stack, name)
    vocabulary, hidden = shapes[embedding]
    if not vocabulary or not hidden:
        raise ModelConfigError(f"{name}: its token embedding is empty: {vocabulary} × {hidden}")
    head = next((key for key in shapes if _HEAD.search(key) and shapes[key] == (vocabulary, hidden)), None)
    kinds = Counter(_Kind.of(tensors) for tensors in layers.values())
    inside = {key for tensors in layers.values() for key, _, _ in tensors}
    rest = [key for key in shapes if key not in inside and key not in (embedding, head)]
    beside = sum(math.prod(shapes[key]) for key in rest)
    final = next((shapes[key][0] for key in rest if key.startswith(_before(stack)) and shapes[key] == (hidden,)), 0)
    parts = [kind.layer(text, hidden, copies, joins_experts=joins_experts) for kind, copies in kinds.items()]
    family = str(config.get("model_type", ""))
    return Architecture(
        activation=activation_of(_text_config(config)),
        quantized_as=quantization_of(config),
        name=name,
        vocabulary=vocabulary,
        hidden=hidden,
        layers=tuple(as_peft_adapts(layer, family) for layer in parts),
        tied_embeddings=head is None,
        final_norm_parameters=final,
        tower_parameters=beside - final,
        rms_norm=_is_rms_norm(text, inside),
    )


def _is_rms_norm(config: Mapping[str, Any], names: set[str]) -> bool:
    """Whether its norms are RMS norms: by their epsilon's name, or since no norm has a bias."""
    if "rms_norm_eps" in config:
        return True
    layer_norm = any(key in config for key in ("layer_norm_eps", "layer_norm_epsilon", "norm_epsilon"))
    return not layer_norm and not any("norm" in name and name.endswith(".bias") for name in names)


Tensor = tuple[str, str, tuple[int, ...]]


@dataclass(frozen=True)
class _Kind:
    """Layers that have the same tensors, less the numbers of their experts."""

    tensors: tuple[tuple[str, tuple[int, ...], int], ...]

    @classmethod
    def of(cls, tensors: list[Tensor]) -> "_Kind":
        found: Counter[tuple[str, tuple[int, ...]]] = Counter()
        for _, name, shape in tensors:
            expert = _EXPERT.fullmatch(name)
            found[f"{expert['before']}.*.{expert['name']}" if expert else name, shape] += 1
        return cls(tuple((name, shape, count) for (name, shape), count in sorted(found.items())))

    @property
    def caches(self) -> bool:
        """Whether a token leaves keys and values in it."""
        return any(_CACHED.search(name) for name, _, _ in self.tensors)

    def layer(self, config: Mapping[str, Any], hidden: int, copies: int, *, joins_experts: bool) -> Layer:
        active = _number(config, "num_experts_per_tok", "num_experts_per_token", "moe_topk", "top_k_experts") or 1
        linears = [
            linear
            for item in self.tensors
            for linear in _linears(*item, hidden=hidden, active=active, joins_experts=joins_experts)
        ]
        attention = tuple(linear for part, linear in linears if part == "attention") or (_nothing(hidden),)
        mlp = tuple(linear for part, linear in linears if part == "mlp") or (_nothing(hidden),)
        weights = sum(linear.weight for _, linear in linears)
        everything = sum(math.prod(shape) * count for _, shape, count in self.tensors)
        inner = [linear.outputs * linear.active for linear in mlp if not linear.leads_back]
        names = {linear.name for linear in mlp}
        gated = bool(names & {"gate_proj", "gate_up_proj", "w3", "gate_and_up_proj", "wi_1"})
        doubled = bool(names & {"gate_up_proj", "gate_and_up_proj"})
        width = max(inner, default=hidden) / (2 if doubled else 1)
        return Layer(
            copies=copies,
            attention=replace(
                _attention(config, attention, hidden) if self.caches else _stateful(config, attention, hidden),
                qk_norm=any(_HEAD_NORM.search(name) and shape != (hidden,) for name, shape, _ in self.tensors),
            ),
            attention_linears=_with_way_back(attention),
            mlp_linears=_with_way_back(mlp),
            mlp_width=width,
            gated=gated,
            norms=max(2, sum(shape == (hidden,) and _NORM.search(name) is not None for name, shape, _ in self.tensors)),
            norm_parameters=everything - weights,
            experts_per_token=active if any(linear.copies > 1 for linear in mlp) else 0,
        )


def _linears(
    name: str, shape: tuple[int, ...], count: int, *, hidden: int, active: int, joins_experts: bool
) -> Iterator[tuple[str, Linear]]:
    """A weight matrix, or a stack of them, as the linear that it is; norms, biases and convolutions are none."""
    part = "attention" if _ATTENTION.search(name) and "mlp" not in name else "mlp"
    short = name.removesuffix(".weight").rpartition(".")[2]
    of_experts = "experts" in name and "shared" not in name
    back = short in _BACK
    if len(shape) == 2 and name.endswith("weight"):
        outputs, inputs = shape
        yield (
            part,
            Linear(
                name=ROUTER if short in ("gate", "router") else short,
                inputs=inputs,
                outputs=outputs,
                copies=count,
                active=min(active, count) if of_experts else 1,
                kind="parameter" if joins_experts and of_experts else "module",
                matrices=(short,) if of_experts else (),
                leads_back=back,
            ),
        )
    elif len(shape) == 3 and of_experts:
        copies, first, second = shape
        # transformers stores them as inputs × outputs in some classes, and the other way round in others.
        inputs, outputs = (first, second) if (first == hidden) != back else (second, first)
        yield part, Linear(
            name=short, inputs=inputs, outputs=outputs, copies=copies, active=min(active, copies), kind="parameter",
            leads_back=back,
        )  # fmt: skip


def _nothing(hidden: int) -> Linear:
    """In the place of a part that a layer is without."""
    return Linear(name="none", inputs=hidden, outputs=0, leads_back=True)


def _with_way_back(linears: tuple[Linear, ...]) -> tuple[Linear, ...]:
    """The last one leads back where no name says which does."""
    if any(linear.leads_back for linear in linears):
        return linears
    *others, last = linears
    return (*others, Linear(**{**vars(last), "leads_back": True}))


def _attention(config: Mapping[str, Any], linears: tuple[Linear, ...], hidden: int) -> Attention:
    heads = _number(config, "num_attention_heads", "n_head", "num_heads") or 1
    kv_heads = _number(config, "num_key_value_heads", "num_kv_heads", "multi_query_group_num") or heads
    query = next((linear.outputs for linear in linears if linear.name in _QUERY), hidden)
    key = next((linear.outputs for linear in linears if linear.name in _KEY), None)
    head_dim = _number(config, "head_dim") or max(1, query // heads)
    if key is not None:
        kv_heads = max(1, key // head_dim)
    latent = _number(config, "kv_lora_rank")
    return Attention(
        heads=max(1, query // head_dim),
        kv_heads=kv_heads,
        head_dim=head_dim,
        value_dim=_number(config, "v_head_dim") or head_dim,
        latent=latent and latent + (_number(config, "qk_rope_head_dim") or 0),
    )


def _stateful(config: Mapping[str, Any], linears: tuple[Linear, ...], hidden: int) -> Attention:
    """In the place of attention, where a layer caches no tokens."""
    return replace(_attention(config, linears, hidden), latent=0)


def _layers(shapes: Shapes, name: str) -> tuple[str, dict[str, list[Tensor]]]:
    """The decoder's layers by number: of all stacks of numbered layers, the text model's."""
    stacks: defaultdict[str, defaultdict[str, list[Tensor]]] = defaultdict(lambda: defaultdict(list))
    for key, shape in shapes.items():
        found = _LAYER.fullmatch(key)
        if found and not _BESIDE.search(found["stack"]):
            stacks[found["stack"]][found["index"]].append((key, found["rest"], shape))
    if not stacks:
        raise ModelConfigError(f"{name}: its tensors have no numbered layers: not a decoder that can be sized")

    def size(stack: str) -> int:
        return sum(math.prod(shape) for tensors in stacks[stack].values() for _, _, shape in tensors)

    largest = max(stacks, key=size)
    return largest, dict(stacks[largest])


def _before(stack: str) -> str:
    return stack.rpartition(".")[0]


def _embedding(shapes: Shapes, stack: str, name: str) -> str:
    found = [key for key, shape in shapes.items() if _EMBEDDING.search(key) and len(shape) == 2]
    near = [key for key in found if key.startswith(_before(stack))] or found
    if not near:
        raise ModelConfigError(f"{name}: its tensors have no token embedding: not a language model")
    return max(near, key=lambda key: shapes[key][0])


def _text_config(config: Mapping[str, Any]) -> Mapping[str, Any]:
    for key in _TEXT_CONFIGS:
        nested = config.get(key)
        if isinstance(nested, Mapping):
            return {**config, **_text_config(nested)}
    return config


def _number(config: Mapping[str, Any], *keys: str) -> int | None:
    for key in keys:
        value = config.get(key)
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            return value
    return None
