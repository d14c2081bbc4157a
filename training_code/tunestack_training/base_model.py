"""The base model: found in its folder, and loaded, quantised or not."""

import logging
from pathlib import Path
from typing import Any

from tunestack_training.failure import JobError
from tunestack_training.recipe import Recipe

log = logging.getLogger(__name__)


def load_base_model(folder: Path, recipe: Recipe, *, quantized: bool | None = None) -> Any:
    """The base model on the GPU if there is one, quantised as the recipe says (or as told).

    Raises:
        JobError: the folder holds no weights, or weights that aren't safetensors.
    """
    import torch
    from transformers import AutoModelForCausalLM

    check_model_folder(folder)
    quantize = recipe.quantization.load_in_4bit if quantized is None else quantized
    dtype = compute_dtype(recipe)
    model = AutoModelForCausalLM.from_pretrained(
        folder,
        local_files_only=True,
        use_safetensors=True,
        trust_remote_code=recipe.model.trust_remote_code,
        attn_implementation=recipe.model.attn_implementation,
        dtype=dtype,
        device_map={"": 0 if torch.cuda.is_available() else "cpu"},
        quantization_config=_quantization_config(recipe, dtype) if quantize else None,
    )
    keep_quantized_weights_as_they_are(model)
    log.info(
        "base model: %s parameters, %s, computing in %s on %s",
        f"{model.num_parameters():,}",
        f"4-bit {recipe.quantization.bnb_4bit_quant_type}" if quantize else "not quantised",
        str(dtype).removeprefix("torch."),
        torch.cuda.get_device_name() if torch.cuda.is_available() else "the CPU",
    )
    return model


def check_model_folder(folder: Path) -> None:
    """See that a folder holds a model.

    Raises:
        JobError: it doesn't; the text says what is missing.
    """
    if not (folder / "config.json").exists():
        raise JobError(
            f"no config.json in the base model's folder {folder}; upload the model with `tunestack models add`"
        )
    if not list(folder.glob("*.safetensors")):
        raise JobError(f"no weights (*.safetensors) in the base model's folder {folder}; upload the whole model")


def compute_dtype(recipe: Recipe) -> Any:
    """What matrix products are computed in; auto: bfloat16 where the GPU has it, else float32."""
    import torch

    chosen = recipe.quantization.bnb_4bit_compute_dtype
    if chosen != "auto":
        return getattr(torch, chosen)
    return torch.bfloat16 if torch.cuda.is_available() and torch.cuda.is_bf16_supported() else torch.float32


def keep_quantized_weights_as_they_are(model: Any) -> None:
    """Keep bitsandbytes from repacking NF4 weights for avx512_bf16 CPUs at the first evaluation.

    The repacking is in place, and every gradient after it is silently wrong.
    """
    for module in model.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.support_avx512bf16_for_cpu = False


def _quantization_config(recipe: Recipe, dtype: Any) -> Any:
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type=recipe.quantization.bnb_4bit_quant_type,
        bnb_4bit_use_double_quant=recipe.quantization.bnb_4bit_use_double_quant,
        bnb_4bit_compute_dtype=dtype,
    )
