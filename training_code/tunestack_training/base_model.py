"""The base model: found in its folder, and loaded, quantised or not."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tunestack_training.failure import JobError
from tunestack_training.recipe import Recipe

_SETTING = "quantization.bnb_4bit_compute_dtype"
log = logging.getLogger(__name__)


def load_base_model(folder: Path, recipe: Recipe, *, quantized: bool | None = None) -> Any:
    """The base model on the GPU if there is one, quantised as the recipe says (or as told).

    Raises:
        JobError: the folder holds no weights, or weights that aren't safetensors.
    """
    import torch
    from transformers import AutoModelForCausalLM

    check_model_folder(folder)
    check_attention(recipe)
    quantize = recipe.quantization.load_in_4bit if quantized is None else quantized
    dtype = compute_dtype(recipe)
    model, found = AutoModelForCausalLM.from_pretrained(
        folder,
        output_loading_info=True,
        local_files_only=True,
        use_safetensors=True,
        trust_remote_code=recipe.model.trust_remote_code,
        attn_implementation=recipe.model.attn_implementation,
        dtype=dtype,
        device_map={"": 0 if torch.cuda.is_available() else "cpu"},
        quantization_config=_quantization_config(recipe, dtype) if quantize else None,
    )
    check_weights(model, found)
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


def check_weights(model: Any, found: Mapping[str, Any]) -> None:
    """See that every weight of a model was in its files; `found` is what transformers says of the loading.

    Raises:
        JobError: some weren't: transformers has drawn those by chance, and goes on.
    """
    tied = {*(getattr(model, "all_tied_weights_keys", None) or {})}
    missing = sorted({*found["missing_keys"]} - tied)
    if not missing:
        return
    others = sorted(found["unexpected_keys"])
    instead = f", and hold others that it doesn't know ({others[0]}, …)" if others else ""
    raise JobError(
        f"the weights lack {len(missing)} tensors of the model ({missing[0]}, …){instead}: save the whole model with "
        "save_pretrained, merged and unwrapped (of torch.compile, DDP, PEFT), and upload that"
    )


def compute_dtype(recipe: Recipe) -> Any:
    """What matrix products are computed in; auto: bfloat16 where the GPU has it, else float32.

    Raises:
        JobError: the recipe names a type that this machine doesn't compute in.
    """
    import torch

    chosen = recipe.quantization.bnb_4bit_compute_dtype
    on_gpu = torch.cuda.is_available()
    # Older GPUs emulate bfloat16, slower than they compute float32.
    has_bfloat16 = on_gpu and torch.cuda.is_bf16_supported(including_emulation=False)
    if chosen == "bfloat16" and on_gpu and not has_bfloat16:
        raise JobError(f"{_SETTING}: {torch.cuda.get_device_name()} has no bfloat16; choose auto, or a newer GPU")
    if chosen == "float16" and not on_gpu:
        raise JobError(f"{_SETTING}: float16 needs a GPU; choose auto")
    if chosen != "auto":
        return getattr(torch, chosen)
    return torch.bfloat16 if has_bfloat16 else torch.float32


def check_attention(recipe: Recipe) -> None:
    """See that the attention kernel is there.

    Raises:
        JobError: the recipe names flash_attention_2, and the image is without it.
    """
    from transformers.utils import is_flash_attn_2_available

    if recipe.model.attn_implementation == "flash_attention_2" and not is_flash_attn_2_available():
        raise JobError("model.attn_implementation: flash-attn isn't in this image, or no GPU is there; choose sdpa")


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
