"""The methods by the names that people use → the job that the memory model sizes."""

from typing import Any, Literal, cast

from tunestack.sizing.job.fine_tuning import FineTuning
from tunestack.sizing.kinds import Method
from tunestack.sizing.stacks.known import TUNESTACK
from tunestack.sizing.stacks.stack import Stack

NamedMethod = Literal[
    "qlora", "lora", "dora", "full", "frozen", "prompt_tuning", "prefix_tuning", "p_tuning", "adapter"
]
VIRTUAL_TOKENS = 20


def job_of_method(name: NamedMethod, *, stack: Stack = TUNESTACK, **chosen: Any) -> FineTuning:
    """A job of a method as a stack runs it, with the fields of `FineTuning` that are chosen: this kit's by default.

    QLoRA is NF4 with double quantisation.

    Raises:
        SizingError: a field is out of range.
    """
    quantized = name == "qlora"
    return FineTuning(**{
        "method": cast(Method, "lora" if quantized else name),
        "quantization": "nf4" if quantized else "none",
        "double_quant": quantized,
        "virtual_tokens": VIRTUAL_TOKENS if name.endswith("_tuning") else 0,
        "stack": stack,
        "loss": stack.loss,
        "lora_dropout": stack.lora_dropout,
        "optimizer": stack.optimizer,
        "checkpointing": stack.checkpointing,
        "attention": stack.attention,
        "fuses_layers": stack.fuses_layers,
        "varying_lengths": stack.pads_batches and stack is not TUNESTACK,
        "per_device_train_batch_size": 1,
        "max_length": 1024,
        **chosen,
    })  # fmt: skip
