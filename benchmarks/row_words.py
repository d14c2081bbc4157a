"""The words of a row of measured memory → the memory model's: what a cell says, whoever wrote it."""

import re
from collections.abc import Mapping
from typing import TypeVar, cast

from benchmarks.table import Row, positive
from tunestack.sizing.kinds import AttentionKernel, Checkpointing, LossKernel, Objective
from tunestack.sizing.optimizers import Optimizer
from tunestack.sizing.precision import Dtype, Quantization

Word = TypeVar("Word")

# Words of a column → the model's setting: the first word that the value holds.
OPTIMIZERS: dict[str, Optimizer] = {
    "galore_adamw8bit": "galore_8bit", "galore": "galore", "paged_adamw8bit": "paged_adamw_8bit",
    "paged_adamw_8bit": "paged_adamw_8bit", "paged": "paged_adamw", "adamw8bit": "adamw_8bit", "8bit": "adamw_8bit",
    "4bit": "adamw_4bit", "adamw_fp32": "adamw_fp32", "adafactor": "adafactor", "lion": "lion", "muon": "muon",
    "sgd": "sgd", "adam": "adamw",
}  # fmt: skip
QUANTIZATIONS: dict[str, Quantization] = {
    "none": "none", "nf4": "nf4", "fp4": "fp4", "gptq-int8": "gptq-int8", "gptq": "gptq-int4", "awq": "awq-int4",
    "mxfp4": "mxfp4", "int8": "int8", "8bit": "int8", "fp8": "fp8", "int4": "int4", "hqq": "int4", "4bit": "nf4",
    "int2": "int2",
}  # fmt: skip
CHECKPOINTING: dict[str, Checkpointing] = {
    "selective": "selective", "offload": "offload", "unsloth": "offload", "no": "none", "false": "none", "yes": "full",
    "true": "full", "full": "full",
}  # fmt: skip
IN_BACKWARD = ("in backward", "per_layer", "per-parameter", "per_parameter", "per layer")
ATTENTION: dict[str, AttentionKernel] = {
    "sdpa": "sdpa",
    "no": "eager",
    "eager": "eager",
    "yes": "flash",
    "flash": "flash",
    "flex": "flash",
    "xformers": "flash",
}
ADAPTERS = ("lora", "adalora", "rslora", "loha", "oft", "ia3", "vera", "pissa")
OBJECTIVES: dict[str, Objective] = {
    "dpo": "dpo", "ipo": "dpo", "kto": "dpo", "simpo": "simpo", "orpo": "simpo", "cpo": "simpo", "reward": "reward",
    "rm": "reward", "ppo": "ppo", "grpo": "grpo", "rloo": "grpo",
}  # fmt: skip
PROMPTS = {"prompt": "prompt_tuning", "prefix": "prefix_tuning", "p_tuning": "p_tuning"}
_TARGETS = {"q": "q_proj", "k": "k_proj", "v": "v_proj", "o": "o_proj"}
MONTH = re.compile(r"20\d\d-\d\d")


class UnknownSettings(Exception):
    """The row says too little, or of something that the model doesn't know."""


def billions(row: Row) -> float:
    """The row's parameter count in billions, 0 where it says none."""
    try:
        return max(0.0, float(row["params_b"] or 0))
    except ValueError:
        return 0.0


def number(row: Row, column: str, default: int | None = None) -> int:
    """A whole number, or the default where the cell is empty.

    Raises:
        UnknownSettings: there is none, or it isn't a number.
    """
    text = row[column].strip()
    if not text and default is not None:
        return default
    found = positive(text)
    if found is None:
        raise UnknownSettings(f"{column}: {text!r}")
    return int(found)


def word(row: Row, column: str, words: Mapping[str, Word], default: Word) -> Word:
    """What the first known word in a cell stands for; the default for an empty cell.

    Raises:
        UnknownSettings: the cell holds none.
    """
    text = row[column].strip().lower()
    for word, setting in words.items():
        if word in text:
            return setting
    if text:
        raise UnknownSettings(f"{column}: {text!r}")
    return default


def trained_dtype(row: Row) -> str | None:
    """Torch's AdamW keeps its moments as what trains: a row that says of the one says of the other."""
    said = re.search(r"adamw_(bf16|fp32)", row["optimizer"])
    return said.group(1) if said else None


def trainer_name(text: str) -> str:
    """`trl 0.9.6`, `TRL`, `trl@v0.9` → trl."""
    return re.split(r"[\s@=,]", text.strip().lower(), maxsplit=1)[0]


def dtype(row: Row) -> Dtype:
    found = re.match(r"(?:pure_)?(bf16|fp16|fp32)", row["weight_dtype"])
    return cast(Dtype, found.group(1)) if found else "bf16"


def compute_dtype(row: Row) -> Dtype:
    """Weights of 16 bit compute as they are; of 32 bit, in 16 where the row says mixed."""
    kept = dtype(row)
    return "bf16" if kept == "fp32" and "mixed" in row["weight_dtype"] else kept


def said_loss(row: Row) -> LossKernel | None:
    text = row["fused_ce"].strip().lower()
    if any(word in text for word in ("liger", "cut", "fused", "yes")):
        return "fused"
    return "chunked" if "chunk" in text else "plain" if text else None


def targets(text: str) -> tuple[str, ...]:
    """`q,v`, `q,k,v (c_attn)`, `q_proj,v_proj`, `all-linear+lm_head`, … → names of linears."""
    names = re.split(r"[,+ ]+", text.split("(", maxsplit=1)[0].strip().lower())
    found = tuple(_TARGETS.get(name, name) for name in names if name in _TARGETS or name in _TARGETS.values())
    if found:
        return found
    if not text or text.startswith("lora"):
        return ("q_proj", "v_proj")
    if text.startswith("default"):
        return ("q_proj", "k_proj", "v_proj")
    return ("all-linear", "lm_head") if "lm_head" in text else ("all-linear",)
