"""A recipe → the job that the memory model sizes."""

from typing import Literal

from tunestack.settings.recipe import Recipe
from tunestack.sizing.job.fine_tuning import FineTuning
from tunestack.sizing.kinds import AttentionKernel
from tunestack.sizing.optimizers import Optimizer
from tunestack.sizing.precision import Dtype

# What a recipe may name (`training.optim`), as it is sized.
OPTIMIZERS: dict[str, Optimizer] = {
    "adamw_torch": "adamw",
    "adamw_torch_fused": "adamw_fused",
    "adamw_8bit": "adamw_8bit",
    "paged_adamw_8bit": "paged_adamw_8bit",
    "adafactor": "adafactor",
    "sgd": "sgd",
}
# `auto` is chosen at synth (tunestack/planning/auto.py); until then, the smallest batch, and rows a step as usual.
AUTO: Literal["auto"] = "auto"
ROWS_A_STEP = 16
_ATTENTION: dict[str, AttentionKernel] = {"sdpa": "sdpa", "eager": "eager", "flash_attention_2": "flash"}

DTYPES: dict[str, Dtype] = {"float32": "fp32", "bfloat16": "bf16", "float16": "fp16"}


def job_of_recipe(recipe: Recipe) -> FineTuning:
    """The recipe's training on one GPU, as `training_code` runs it: fp32 adapters, no logits kept, rows padded.

    Where the recipe leaves the type to the GPU it is bf16; `FineTuning.on` says what an older one makes of that.
    """
    quantization, lora, training = recipe.quantization, recipe.lora, recipe.training
    targets = lora.target_modules
    batch = 1 if training.per_device_train_batch_size == AUTO else training.per_device_train_batch_size
    accumulation = training.gradient_accumulation_steps
    dtype = DTYPES.get(quantization.bnb_4bit_compute_dtype, "bf16")
    return FineTuning(
        method="lora",
        weight_dtype=dtype,
        compute_dtype=dtype,
        quantization=quantization.bnb_4bit_quant_type if quantization.load_in_4bit else "none",
        double_quant=quantization.bnb_4bit_use_double_quant,
        r=lora.r,
        lora_dropout=lora.lora_dropout,
        target_modules=(targets,) if isinstance(targets, str) else tuple(targets),
        optimizer=OPTIMIZERS[training.optim],
        per_device_train_batch_size=batch,
        gradient_accumulation_steps=max(1, ROWS_A_STEP // batch) if accumulation == AUTO else accumulation,
        max_length=training.max_length,
        checkpointing="full" if training.gradient_checkpointing else "none",
        attention=_ATTENTION[recipe.model.attn_implementation],
        loss="tiled",
        varying_lengths=not training.packing,
    )
