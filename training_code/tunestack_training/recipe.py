"""The recipe: what is fine-tuned, how, on which data. Its keys are Hugging Face's own names.

These classes say once which keys a recipe may have: the kit reads recipes with them, and refuses at synth what would be
refused here. `training_code/recipe.schema.json` is made from them (`make generated`), for editors.
"""

import re
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Fraction = Annotated[float, Field(gt=0, lt=0.5)]
Ratio = Annotated[float, Field(gt=0, le=10)]


class Section(BaseModel):
    """A part of the recipe: frozen, and an unknown key in it is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False)


class Model(Section):
    """The base model, as `tunestack models add` uploaded it to S3."""

    name_or_path: Annotated[
        str, Field(min_length=1, max_length=200, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.\-]*(/[A-Za-z0-9_.\-]+)?$")
    ]
    """The model's id on the Hugging Face hub, or the name it was uploaded under."""
    revision: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.\-]+$")]
    """The pinned revision: a commit of the hub, or a label of your own."""
    attn_implementation: Literal["sdpa", "eager", "flash_attention_2"] = "sdpa"
    """The attention kernel; eager needs memory quadratic in the sequence length. flash_attention_2 needs a base image
    that brings flash-attn."""
    trust_remote_code: Literal[False] = False
    """Code that a model brings is never run."""


class Quantization(Section):
    """How the frozen base is quantised (the names of transformers' BitsAndBytesConfig)."""

    load_in_4bit: bool = True
    """QLoRA when true; LoRA on the unquantised base when false."""
    bnb_4bit_quant_type: Literal["nf4", "fp4"] = "nf4"
    """The 4-bit format: nf4 fits weights that are normally distributed, as most are (QLoRA paper)."""
    bnb_4bit_use_double_quant: bool = True
    """Quantise the scales too: about 0.4 bits a parameter less, at no cost in quality (QLoRA paper)."""
    bnb_4bit_compute_dtype: Literal["auto", "bfloat16", "float16", "float32"] = "auto"
    """The type of the matrix products; auto: bfloat16 where the GPU has it, else float32."""


class Lora(Section):
    """The adapter (the names of PEFT's LoraConfig)."""

    r: Annotated[int, Field(ge=1, le=1024)] = 16
    """The rank: memory and capacity of the adapter grow with it."""
    lora_alpha: Annotated[int, Field(ge=1, le=4096)] = 32
    """The adapter's scale is lora_alpha / r."""
    lora_dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """The share of the adapter's inputs that training drops; more than 0 costs memory, three bytes an input."""
    target_modules: Literal["all-linear"] | Annotated[list[str], Field(min_length=1)] = "all-linear"
    """The layers that get an adapter; all-linear is what the QLoRA paper found to match full fine-tuning."""


class Training(Section):
    """The training run (the names of TRL's SFTConfig)."""

    num_train_epochs: Annotated[float, Field(gt=0, le=100)] = 1.0
    """How often the training rows are seen; max_steps overrules it."""
    max_steps: Annotated[int, Field(ge=1, le=10_000_000)] | Literal[-1] = -1
    """Optimizer steps; -1: as many as num_train_epochs needs."""
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 2e-4
    """The peak of the schedule; adapters take about ten times what full fine-tuning takes."""
    lr_scheduler_type: Literal["linear", "cosine", "constant", "constant_with_warmup"] = "cosine"
    """How the learning rate falls after the warm-up."""
    warmup_steps: Annotated[float, Field(ge=0)] = 0.03
    """Steps, or below 1 the share of all steps."""
    weight_decay: Annotated[float, Field(ge=0, le=1)] = 0.0
    """The share of each trained weight that a step takes away, times the learning rate."""
    optim: Literal["adamw_torch", "adamw_torch_fused", "adamw_8bit", "paged_adamw_8bit", "adafactor", "sgd"] = (
        "adamw_torch"
    )
    """The optimizer; 8-bit states save six bytes a trained parameter, paged ones leave the GPU when it is full."""
    per_device_train_batch_size: Annotated[int, Field(ge=1, le=1024)] | Literal["auto"] = 1
    """Rows that a GPU holds at once: the activations grow with it. auto: as many as surely fit, chosen at synth."""
    gradient_accumulation_steps: Annotated[int, Field(ge=1, le=4096)] | Literal["auto"] = 16
    """Micro-batches per optimizer step: more time and no more memory. auto: 16 rows a step with the batch size."""
    max_length: Annotated[int, Field(ge=8, le=1_000_000)] = 1024
    """Tokens of a row; what becomes of longer ones, data.long_rows says."""
    packing: bool = False
    """Several rows in one sequence: fewer padding tokens."""
    completion_only_loss: bool = True
    """The loss counts the answers' tokens only, not the questions'."""
    gradient_checkpointing: bool = True
    """Recompute activations in the backward pass: about a third more time for much less memory."""
    logging_steps: Annotated[int, Field(ge=1)] = 10
    """Optimizer steps between two lines of loss, learning rate and peak memory in the log."""
    save_steps: Annotated[int, Field(ge=1)] = 100
    """Optimizer steps between checkpoints: what an interruption costs at the most."""
    save_total_limit: Annotated[int, Field(ge=2)] = 2
    """How many checkpoints are kept; with one alone, none would be whole while the next is written."""
    seed: Annotated[int, Field(ge=0, le=2**32 - 1)] = 42
    """Splits, shuffling and initial adapters follow from it."""


class Data(Section):
    """The data set and how it is split."""

    name: Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.\-]*$")]
    """The name that `tunestack data add` uploads it under."""
    validation_fraction: Fraction = 0.05
    """Rows that watch the training's loss."""
    test_fraction: Fraction = 0.05
    """Rows that nothing is chosen by: the evaluation's."""
    max_rejected_fraction: Annotated[float, Field(ge=0, le=1)] = 0.05
    """The share of rows that may be unusable; more, and the preparation fails rather than train on the rest."""
    max_rows: Annotated[int, Field(ge=10)] | None = None
    """Use at most so many rows, chosen by the seed; null: all."""
    assistant_turns: Literal["last", "all"] = "last"
    """Which answers of a conversation are trained: its last one, or all, each as a row with what stands before it."""
    long_rows: Literal["truncate", "drop", "fail"] = "truncate"
    """What becomes of rows with more tokens than training.max_length: cut at the end, left out, or the job fails."""
    near_duplicates: Literal["keep", "drop"] = "keep"
    """What becomes of training rows that ask nearly what a held-out row asks (and so flatter the gate's figures)."""
    min_test_rows: Annotated[int, Field(ge=1)] = 3
    """With fewer held-out rows the preparation fails: a gate on them would say nothing. With few it says little."""


class Evaluation(Section):
    """How base and tuned model are compared, and what the tuned one must reach to be registered."""

    max_heldout_loss_ratio: Ratio = 0.98
    """The gate: tuned loss / base loss on held-out rows must not exceed this."""
    max_general_loss_ratio: Ratio = 1.25
    """The gate against forgetting: the same ratio on a general set."""
    max_heldout_error_rate: Annotated[float, Field(ge=0, le=1)] = 1.0
    """The gate: the share of wrong held-out answers (of JSON: fields) must not exceed this; 1: nothing is asked."""
    max_heldout_error_increase: Annotated[float, Field(ge=-1, le=1)] = 1.0
    """The gate against the base: by how much the error rate may be above its own; -0.2: at least 0.2 below; 1: nothing
    is asked."""
    compare_answers: Literal["auto", "json", "number", "label", "contains", "exact", "f1", "pattern"] = "auto"
    """How an answer is right: JSON by its fields, its last number, a label by being nothing else, by containing the
    wanted words, exactly, by the F1 of words, or by what answer_pattern finds. auto: by what the wanted answers are."""
    answer_pattern: str | None = Field(None, min_length=1, max_length=500)
    """For compare_answers: pattern, a regular expression: its first group, or all that it finds, is compared."""
    max_rows: Annotated[int, Field(ge=1)] = 500
    """Evaluate at most so many rows of each set, chosen by the seed."""
    generated_rows: Annotated[int, Field(ge=0)] = 100
    """Rows of each set that are answered in full, for the task's accuracy; 0: none."""
    max_new_tokens: Annotated[int, Field(ge=1, le=8192)] = 128
    """The longest answer that is generated for the task's accuracy."""
    batch_size: Annotated[int, Field(ge=1, le=1024)] = 4
    """Rows that are evaluated at once."""

    @model_validator(mode="after")
    def _has_its_pattern(self) -> Self:
        if (self.compare_answers == "pattern") != (self.answer_pattern is not None):
            raise ValueError("answer_pattern and compare_answers: pattern need each other")
        try:
            re.compile(self.answer_pattern or "")
        except re.error as error:
            raise ValueError(f"answer_pattern is no regular expression: {error}") from None
        return self


class Package(Section):
    """How the model is packed for serving."""

    fuse: bool = True
    """True: one set of fused weights (the base de-quantised, then merged); false: base and adapter, side by side."""
    save_dtype: Literal["float32", "bfloat16"] = "float32"
    """The fused weights' type: float32 answers as the adapter did, bfloat16 is half as large and rounds."""


class Inference(Section):
    """How the served model answers."""

    max_new_tokens: Annotated[int, Field(ge=1, le=8192)] = 256
    """The longest answer."""
    temperature: Annotated[float, Field(ge=0, le=2)] = 0.0
    """0: the most likely token each time, so that the same input gives the same answer."""
    batch_size: Annotated[int, Field(ge=1, le=50)] = 8
    """Rows that are answered at once; a transform sends twice as many, so that none waits for another's request."""


class Recipe(Section):
    """Model, method, data and hyperparameters of a fine-tuning."""

    model: Model
    data: Data
    quantization: Quantization = Quantization()
    lora: Lora = Lora()
    training: Training = Training()
    evaluation: Evaluation = Evaluation()
    package: Package = Package()
    inference: Inference = Inference()
