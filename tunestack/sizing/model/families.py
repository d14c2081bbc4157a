"""config.json → Architecture, family by family: the layers that transformers builds from it, with its defaults."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from tunestack.sizing.model.architecture import Architecture, Layer
from tunestack.sizing.model.families_classic import falcon, gpt2, gpt_neox, phi
from tunestack.sizing.model.families_experts import as_peft_adapts, deepseek, gpt_oss, mixtral, qwen2_moe, qwen3_moe
from tunestack.sizing.model.family_layers import gated_layer, llama_model, without_window
from tunestack.sizing.model.model_config import ModelConfig
from tunestack.sizing.model.quantized import quantization_of

Family = Callable[[ModelConfig], Architecture]


def from_config(config: Mapping[str, Any], *, name: str) -> Architecture:
    """The architecture that a Hugging Face `config.json` describes.

    Raises:
        ModelConfigError: its family isn't known, a field is missing, or fields contradict each other.
    """
    read = ModelConfig(config, name=name)
    family = read.choose("model_type", FAMILIES)
    found = FAMILIES[family](ModelConfig({**DEFAULTS.get(family, {}), **config}, name=name))
    layers = tuple(as_peft_adapts(layer, family) for layer in found.layers)
    activation = OWN_ACTIVATIONS.get(family) or activation_of(config) or ACTIVATIONS.get(family, "")
    return replace(found, layers=layers, activation=activation, quantized_as=quantization_of(config))


def activation_of(config: Mapping[str, Any]) -> str:
    """The activation function that a configuration names, by any of the keys that families have for it; or nothing."""
    named = (config.get(key) for key in ("hidden_activation", "hidden_act", "activation_function", "activation"))
    return next((name for name in named if isinstance(name, str)), "")


def _qwen2(c: ModelConfig) -> Architecture:
    layer = gated_layer(c, copies=c.positive("num_hidden_layers"), qkv_bias=True, output_bias=False)
    return llama_model(c, layers=(layer,))


def _qwen3(c: ModelConfig) -> Architecture:
    return llama_model(c, layers=(gated_layer(c, copies=c.positive("num_hidden_layers"), head_norms=True),))


def _phi3(c: ModelConfig) -> Architecture:
    layer = gated_layer(c, copies=c.positive("num_hidden_layers"), qkv_bias=False, output_bias=False, fused=True)
    return llama_model(c, layers=(layer,))


def _gemma(c: ModelConfig, **differs: Any) -> Architecture:
    return llama_model(c, tied_embeddings=c.flag("tie_word_embeddings", True), **differs)


def _gemma2(c: ModelConfig) -> Architecture:
    layers = _alternating(c, norms=4, every=2)
    return _gemma(c, layers=layers, softcaps=True, lacks_sdpa=True)


def _gemma3_text(c: ModelConfig) -> Architecture:
    every = c.optional_positive("sliding_window_pattern") or c.optional_positive("_sliding_window_pattern") or 6
    return _gemma(c, layers=_alternating(c, norms=4, every=every, head_norms=True))


def _alternating(c: ModelConfig, *, norms: int, every: int, head_norms: bool = False) -> tuple[Layer, ...]:
    """Layers with a sliding window, and in every so many one that sees everything."""
    depth = c.positive("num_hidden_layers")
    whole = depth // every
    layer = gated_layer(c, copies=depth - whole, norms=norms, head_norms=head_norms)
    return (layer, *without_window(layer, whole))


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


# What a configuration may leave out since it is its class's default, where that isn't one head for all or the width
# divided by the heads (transformers 5: `AutoConfig.for_model`).
DEFAULTS: dict[str, dict[str, int]] = {
    "gemma": {"num_key_value_heads": 16, "head_dim": 256},
    "gemma2": {"num_key_value_heads": 4, "head_dim": 256},
    "gemma3_text": {"num_key_value_heads": 4, "head_dim": 256},
    "gpt_oss": {"num_key_value_heads": 8, "head_dim": 64},
    "mistral": {"num_key_value_heads": 8},
    "mixtral": {"num_key_value_heads": 8},
    "qwen2": {"num_key_value_heads": 32},
    "qwen2_moe": {"num_key_value_heads": 16},
    "qwen3": {"num_key_value_heads": 32, "head_dim": 128},
    "qwen3_moe": {"num_key_value_heads": 4},
}


# What a class has whatever its configuration says.
OWN_ACTIVATIONS = {"gpt_oss": "clamped_swiglu"}
# The class's default, where it isn't a fused one.
ACTIVATIONS = {"gpt2": "gelu_new", "phi": "gelu_new"}


FAMILIES: dict[str, Family] = {
    "deepseek_v2": deepseek,
    "deepseek_v3": deepseek,
    "falcon": falcon,
    "gemma": _gemma,
    "gemma2": _gemma2,
    "gemma3": _gemma3,
    "gemma3_text": _gemma3_text,
    "gpt2": gpt2,
    "gpt_neox": gpt_neox,
    "gpt_oss": gpt_oss,
    "llama": llama_model,
    "mistral": llama_model,
    "mixtral": mixtral,
    "phi": phi,
    "phi3": _phi3,
    "qwen2": _qwen2,
    "qwen2_moe": qwen2_moe,
    "qwen3": _qwen3,
    "qwen3_moe": qwen3_moe,
}
