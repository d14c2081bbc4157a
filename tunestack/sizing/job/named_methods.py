"""The methods by the names that people use → the job that the memory model sizes."""

from dataclasses import replace
from typing import Any, Literal, cast

from tunestack.sizing.job.fine_tuning import FineTuning, Method

NamedMethod = Literal[
    "qlora", "lora", "dora", "full", "frozen", "prompt_tuning", "prefix_tuning", "p_tuning", "adapter"
]
VIRTUAL_TOKENS = 20


def job_of_method(name: NamedMethod, **chosen: Any) -> FineTuning:
    """A job of a method under TRL, as this kit's recipes have it, with the fields of `FineTuning` that are chosen.

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
        "loss": "tiled",
        "lora_dropout": 0.0,
        "per_device_train_batch_size": 1,
        "max_length": 1024,
        **chosen,
    })  # fmt: skip


def under_accelerate(job: FineTuning) -> FineTuning:
    """The same job as accelerate's FSDP holds it.

    It turns what trains into fp32 before it is sharded, whatever the model's dtype ("Upcasted low precision
    parameters", `Accelerator.prepare_model`): weights, gradients and both moments take 16 bytes a parameter.
    """
    return replace(job, weight_dtype="fp32") if job.sharding == "fsdp" and job.method in ("full", "frozen") else job
