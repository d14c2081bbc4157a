"""One training by a method that the memory model sizes and this kit's code doesn't run: TRL's, or the Trainer's.

`python -m benchmarks.gpu_methods METHOD`, started by `benchmarks.gpu_training` as a job's container would be.
"""

import sys
from collections.abc import Callable
from typing import Any

from tunestack_training import contract
from tunestack_training.callbacks import LogMetrics
from tunestack_training.options import recipe_from_options
from tunestack_training.peak_memory import peak_memory
from tunestack_training.recipe import Recipe
from tunestack_training.tokenizer import load_tokenizer

TEXT = "abcdefghijklmnopqrstuvwxyz "


def main(method: str) -> None:
    import logging

    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    recipe = recipe_from_options(contract.hyperparameters())
    trainer = METHODS[method](recipe)
    logging.info("loaded and ready to train: %s", peak_memory())
    trainer.train()


def base(recipe: Recipe, *, dtype: str = "bfloat16", kind: str = "AutoModelForCausalLM", **options: Any) -> Any:
    import torch
    import transformers

    model = getattr(transformers, kind).from_pretrained(
        contract.channel("base-model"), dtype=getattr(torch, dtype), attn_implementation="sdpa", **options
    )
    model.config.pad_token_id = 1
    return model.to("cuda" if torch.cuda.is_available() else "cpu")


def arguments(recipe: Recipe, kind: str, *, source: Any = None, **more: Any) -> Any:
    import torch
    import trl

    training, on_gpu = recipe.training, torch.cuda.is_available()
    return getattr(source or trl, kind)(
        output_dir=str(contract.checkpoint_folder()),
        max_steps=training.max_steps,
        per_device_train_batch_size=training.per_device_train_batch_size,
        gradient_accumulation_steps=training.gradient_accumulation_steps,
        gradient_checkpointing=training.gradient_checkpointing,
        gradient_checkpointing_kwargs={"use_reentrant": False} if training.gradient_checkpointing else None,
        **{"learning_rate": 1e-5, "optim": training.optim, "bf16": on_gpu, "use_cpu": not on_gpu, **more},
        save_strategy="no", report_to="none", disable_tqdm=True, logging_steps=1,
    )  # fmt: skip


def rows(recipe: Recipe, make: Callable[[str], dict[str, Any]]) -> Any:
    from datasets import Dataset

    length = recipe.training.max_length + 64
    return Dataset.from_list([make((TEXT * length)[:length])] * 160)


def given(recipe: Recipe, kind: str, model: Any, train_dataset: Any, args: Any, **more: Any) -> Any:
    import trl

    return getattr(trl, kind)(
        model=model, args=args, train_dataset=train_dataset,
        processing_class=load_tokenizer(contract.channel("base-model")), callbacks=[LogMetrics()], **more,
    )  # fmt: skip


def adapter(recipe: Recipe, task: str = "CAUSAL_LM", **more: Any) -> Any:
    from peft import LoraConfig

    return LoraConfig(r=recipe.lora.r, target_modules="all-linear", bias="none", task_type=task, **more)


def full(recipe: Recipe, *, dtype: str = "bfloat16", peft_config: Any = None, **more: Any) -> Any:
    args = arguments(recipe, "SFTConfig", max_length=recipe.training.max_length, **more)
    text = rows(recipe, lambda text: {"text": text})
    return given(recipe, "SFTTrainer", base(recipe, dtype=dtype), text, args, peft_config=peft_config)


def prompt_tuning(recipe: Recipe) -> Any:
    from peft import PromptTuningConfig

    return full(recipe, peft_config=PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=20))


def dpo(recipe: Recipe, *, adapts: bool) -> Any:
    half = recipe.training.max_length
    pairs = rows(recipe, lambda text: {"prompt": "say: ", "chosen": text[:half], "rejected": text[1 : half + 1]})
    args = arguments(recipe, "DPOConfig", max_length=half)
    return given(
        recipe, "DPOTrainer", base(recipe), pairs, args,
        ref_model=None if adapts else base(recipe), peft_config=adapter(recipe) if adapts else None,
    )  # fmt: skip


def reward(recipe: Recipe) -> Any:
    # Longer ones are left out.
    length = recipe.training.max_length - 8
    pairs = rows(recipe, lambda text: {"chosen": text[:length], "rejected": text[1 : length + 1]})
    args = arguments(recipe, "RewardConfig", max_length=recipe.training.max_length)
    model = base(recipe, kind="AutoModelForSequenceClassification", num_labels=1)
    return given(recipe, "RewardTrainer", model, pairs, args, peft_config=adapter(recipe, "SEQ_CLS"))


def grpo(recipe: Recipe) -> Any:
    prompts = rows(recipe, lambda text: {"prompt": text[: recipe.training.max_length // 2]})
    args = arguments(
        recipe, "GRPOConfig", num_generations=4, max_completion_length=recipe.training.max_length // 2, beta=0.04
    )
    return given(
        recipe, "GRPOTrainer", base(recipe), prompts, args, peft_config=adapter(recipe),
        reward_funcs=lambda completions, **_: [float(len(str(item)) % 7) for item in completions],
    )  # fmt: skip


def trainer(recipe: Recipe, *, adapts: bool, quantizes: bool = False) -> Any:
    """transformers' own Trainer, with PEFT: the loss of all logits, and dropout."""
    import torch
    import transformers
    from peft import get_peft_model

    nf4 = {"load_in_4bit": True, "bnb_4bit_quant_type": "nf4", "bnb_4bit_use_double_quant": True}
    four_bit = transformers.BitsAndBytesConfig(**nf4, bnb_4bit_compute_dtype=torch.bfloat16)
    model = base(recipe, **({"quantization_config": four_bit} if quantizes else {}))
    if adapts:
        model.enable_input_require_grads()
        model = get_peft_model(model, adapter(recipe, lora_dropout=0.05))
    length = recipe.training.max_length
    numbers = [index % 200 + 2 for index in range(length)]
    args = arguments(recipe, "TrainingArguments", source=transformers)
    return transformers.Trainer(
        model=model, args=args, train_dataset=rows(recipe, lambda _: {"input_ids": numbers, "labels": numbers}),
        callbacks=[LogMetrics()],
    )  # fmt: skip


METHODS: dict[str, Callable[[Recipe], Any]] = {
    "full": full,
    "full in fp32": lambda recipe: full(recipe, dtype="float32"),
    "full, loss of all logits": lambda recipe: full(recipe, loss_type="nll"),
    "lora, trained head": lambda recipe: full(recipe, peft_config=adapter(recipe, modules_to_save=["lm_head"])),
    "prompt_tuning": prompt_tuning,
    "dpo lora": lambda recipe: dpo(recipe, adapts=True),
    "dpo full": lambda recipe: dpo(recipe, adapts=False),
    "reward lora": reward,
    "grpo lora": grpo,
    "trainer lora": lambda recipe: trainer(recipe, adapts=True),
    "trainer qlora": lambda recipe: trainer(recipe, adapts=True, quantizes=True),
    "trainer full": lambda recipe: trainer(recipe, adapts=False),
}

if __name__ == "__main__":
    main(sys.argv[1])
