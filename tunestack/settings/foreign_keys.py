"""What other trainers' recipes call what a recipe here has: axolotl, LLaMA-Factory, TRL, transformers."""

from collections.abc import Callable, Mapping
from typing import Any

_OPTIMIZERS = {
    "paged_adamw_32bit": "adamw_torch", "adamw_hf": "adamw_torch", "adamw_bnb_8bit": "adamw_8bit",
    "adamw": "adamw_torch", "paged_adamw": "adamw_torch",
}  # fmt: skip
_ATTENTION = {True: "flash_attention_2", "fa2": "flash_attention_2", "auto": "sdpa", "disabled": "eager", False: "sdpa"}
# The recipe's field ← its names elsewhere.
_NAMES = {
    "model.name_or_path": "base_model model_name_or_path model_name model_id",
    "model.revision": "revision revision_of_model model_revision",
    "model.attn_implementation": "attn_implementation flash_attention flash_attn",
    "data.name": "dataset datasets dataset_name train_file",
    "data.validation_fraction": "val_set_size val_size eval_size validation_split",
    "data.max_rows": "max_samples",
    "quantization.load_in_4bit": "load_in_4bit adapter quantization_bit use_4bit",
    "quantization.bnb_4bit_quant_type": "bnb_4bit_quant_type",
    "quantization.bnb_4bit_use_double_quant": "bnb_4bit_use_double_quant double_quantization use_bnb_nested_quant",
    "quantization.bnb_4bit_compute_dtype": "bnb_4bit_compute_dtype",
    "lora.r": "lora_r lora_rank",
    "lora.lora_alpha": "lora_alpha",
    "lora.lora_dropout": "lora_dropout",
    "lora.target_modules": "lora_target lora_target_modules target_modules lora_target_linear",
    "training.num_train_epochs": "num_epochs num_train_epochs epochs",
    "training.max_length": "sequence_len cutoff_len max_seq_length max_seq_len model_max_length",
    "training.packing": "sample_packing packing",
    "training.per_device_train_batch_size": "micro_batch_size train_batch_size per_device_batch_size",
    "training.optim": "optimizer optim",
    "training.lr_scheduler_type": "lr_scheduler lr_scheduler_type",
    "training.warmup_steps": "warmup_ratio warmup_steps",
    "training.learning_rate": "lr",
    "training.completion_only_loss": "train_on_inputs train_on_prompt",
    "data.assistant_turns": "assistant_only_loss train_on_all_turns",
    "inference.max_new_tokens": "max_new_tokens",
    "inference.temperature": "temperature",
}
PLACES = {name: place for place, names in _NAMES.items() for name in names.split()}
# Why a key has no place, or what is done instead ← the keys.
_LEFT_OUT = {
    "the GPU's own best type is used": "bf16 fp16 tf32 pure_bf16 torch_dtype dtype upcast_layernorm",
    "the model's own chat template and tokens are used": (
        "template chat_template special_tokens default_system tokenizer_type model_type"
    ),
    "places in S3 are the pipeline's": (
        "output_dir overwrite_output_dir dataset_dir dataset_prepared_path hub_model_id"
    ),
    "this kit trains LoRA adapters by supervised fine-tuning": "do_train stage finetuning_type adapter",
    "a training runs on one GPU": "deepspeed fsdp fsdp_config ddp_timeout",
    "isn't trained by this kit": (
        "use_rslora use_dora modules_to_save max_grad_norm neftune_noise_alpha lora_modules_to_save"
    ),
    "the evaluation is a step of its own, and checkpoints are saved every training.save_steps": (
        "eval_strategy evaluation_strategy save_strategy eval_steps per_device_eval_batch_size"
    ),
    "the loss is a metric of the job": "report_to wandb_project wandb_entity logging_dir run_name plot_loss",
    "changes speed alone": (
        "group_by_length preprocessing_num_workers dataloader_num_workers overwrite_cache pad_to_sequence_len"
    ),
}
NO_PLACE = {name: reason for reason, names in _LEFT_OUT.items() for name in names.split()}
_OTHER_METHODS = {"full", "freeze", "dpo", "kto", "orpo", "ppo", "rm", "pt", "ia3", "prompt", "reward", "grpo"}


def place_of(key: str) -> str | None:
    """Where the value of a key that other trainers have goes, in a few words; None of one that nobody knows."""
    if key in PLACES:
        return f"its place is {PLACES[key]}; `tunestack import FILE` makes a recipe of another trainer's"
    return NO_PLACE.get(key)


class NotTrainedError(ValueError):
    """The recipe is for something that this kit doesn't train."""


def converted(key: str, value: Any) -> Any:
    """A foreign key's value as the field of `PLACES` takes it; None leaves the default.

    Raises:
        NotTrainedError: it asks for a method that isn't trained here.
    """
    if key in ("stage", "finetuning_type", "adapter", "rl") and str(value).lower() in _OTHER_METHODS:
        raise NotTrainedError(f"{key}: {value} isn't trained by this kit, which fine-tunes LoRA adapters (SFT)")
    convert = _VALUES.get(key)
    return _number(convert(value) if convert else value)


def _number(value: Any) -> Any:
    """YAML reads 2e-4 as text."""
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return value


def _attention(value: Any) -> Any:
    return _ATTENTION.get(value, value)


def _modules(value: Any) -> Any:
    if value is True or (isinstance(value, str) and value in ("all", "all-linear")):
        return "all-linear"
    return [name.strip() for name in value.split(",")] if isinstance(value, str) else value or None


def _name_of_data(value: Any) -> Any:
    """The first of them, as a name; its files are uploaded by `tunestack data add`."""
    first = value[0] if isinstance(value, list) and value else value
    text = str(first.get("path", "data") if isinstance(first, Mapping) else first).split(",")[0]
    name = text.rsplit("/", 1)[-1].partition(".")[0]
    return (
        "".join(sign if sign.isascii() and (sign.isalnum() or sign in "_-") else "-" for sign in name).strip("-")
        or "data"
    )


_VALUES: dict[str, Callable[[Any], Any]] = {
    "adapter": {"qlora": True, "lora": False}.get,
    "quantization_bit": lambda value: True if value == 4 else None,
    **dict.fromkeys(("lora_target", "lora_target_modules", "target_modules", "lora_target_linear"), _modules),
    **dict.fromkeys(("dataset", "datasets", "dataset_name", "train_file"), _name_of_data),
    **dict.fromkeys(("optimizer", "optim"), lambda value: _OPTIMIZERS.get(value, value)),
    **dict.fromkeys(("attn_implementation", "flash_attention", "flash_attn"), _attention),
    **dict.fromkeys(("train_on_inputs", "train_on_prompt"), lambda value: not value),
    **dict.fromkeys(("assistant_only_loss", "train_on_all_turns"), lambda value: "all" if value else None),
    "lr_scheduler_type": lambda value: {"cosine_with_min_lr": "cosine"}.get(value, value),
}  # fmt: skip
