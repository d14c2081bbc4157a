"""Bytes of a number: data types, and the quantised formats with the scales that they keep beside their weights."""

from typing import Literal

Dtype = Literal["fp32", "bf16", "fp16", "fp8", "int8"]
Quantization = Literal[
    "none", "nf4", "fp4", "int8", "fp8", "gptq-int4", "gptq-int8", "awq-int4", "int4", "int2", "mxfp4"
]

# What bitsandbytes quantises.
BITSANDBYTES: frozenset[Quantization] = frozenset({"nf4", "fp4", "int8"})

BYTES: dict[str, float] = {"fp32": 4, "bf16": 2, "fp16": 2, "fp8": 1, "int8": 1}

# bitsandbytes: one fp32 absmax for each block of 64 weights (QLoRA, arXiv 2305.14314, section 3); with double
# quantisation an 8-bit one, and an fp32 one for each 256 of those.
NF4_BLOCK, DOUBLE_QUANT_BLOCK = 64, 256
# GPTQ and AWQ as they are published: groups of 128 weights with a 16-bit scale and a zero point of the weights' width.
GROUP = 128
# OCP microscaling formats, 1.0: blocks of 32 with an 8-bit scale.
MX_BLOCK = 32


def bytes_per_weight(quantization: Quantization, *, dtype: Dtype, double_quant: bool = False) -> float:
    """Bytes that one weight of a quantised linear takes, its share of the scales included.

    >>> bytes_per_weight("nf4", dtype="bf16")
    0.5625
    """
    if quantization in ("nf4", "fp4"):
        single = 4 / NF4_BLOCK
        double = 1 / NF4_BLOCK + 4 / (NF4_BLOCK * DOUBLE_QUANT_BLOCK)
        return 0.5 + (double if double_quant else single)
    return {
        "none": BYTES[dtype],
        # One fp32 scale for each row, which has thousands of weights.
        "int8": 1.0,
        "fp8": 1.0,
        "gptq-int4": 0.5 + 2.5 / GROUP,
        "awq-int4": 0.5 + 2.5 / GROUP,
        "int4": 0.5 + 2.5 / GROUP,
        "gptq-int8": 1 + 3 / GROUP,
        "int2": 0.25 + 2.25 / GROUP,
        "mxfp4": 0.5 + 1 / MX_BLOCK,
    }[quantization]
