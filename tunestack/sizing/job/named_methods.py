"""The methods by the names that people use → the job that the memory model sizes."""

from typing import Any, Literal, cast

from tunestack.sizing.job.fine_tuning import FineTuning
from tunestack.sizing.kinds import Method
from tunestack.sizing.trainers.known import TUNESTACK
from tunestack.sizing.trainers.trainer import Trainer

NamedMethod = Literal[
    "qlora", "lora", "dora", "full", "frozen", "prompt_tuning", "prefix_tuning", "p_tuning", "adapter"
]
VIRTUAL_TOKENS = 20


def job_of_method(name: NamedMethod, *, trainer: Trainer = TUNESTACK, **chosen: Any) -> FineTuning:
    """A job of a method as a trainer runs it, with the fields of `FineTuning` that are chosen: this kit's by default.

    QLoRA is NF4 with double quantisation.

    Raises:
        SizingError: a field is out of range.
    """
    # `stack` is what it was called before 0.2.
    trainer = chosen.pop("stack", trainer)
    quantized = name == "qlora"
    return FineTuning(**{
        "method": cast(Method, "lora" if quantized else name),
        "quantization": "nf4" if quantized else "none",
        "double_quant": quantized,
        "virtual_tokens": VIRTUAL_TOKENS if name.endswith("_tuning") else 0,
        "trainer": trainer,
        "loss": trainer.loss,
        "lora_dropout": trainer.lora_dropout,
        "optimizer": trainer.optimizer,
        "checkpointing": trainer.checkpointing,
        "attention": trainer.attention,
        "fuses_layers": trainer.fuses_layers,
        "varying_lengths": trainer.pads_batches and trainer is not TUNESTACK,
        "per_device_train_batch_size": 1,
        "max_length": 1024,
        **chosen,
    })  # fmt: skip
