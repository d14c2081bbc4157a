"""What a `config.json` says of a checkpoint whose weights are quantised already."""

from collections.abc import Mapping
from typing import Any

from tunestack.sizing.precision import Quantization

# transformers' `quant_method` where it says the format by itself; others say the bits beside it.
_METHODS: dict[str, Quantization] = {
    "fp8": "fp8", "fbgemm_fp8": "fp8", "finegrained_fp8": "fp8", "mxfp4": "mxfp4",
}  # fmt: skip
_BITS: dict[tuple[str, int], Quantization] = {
    ("gptq", 4): "gptq-int4", ("gptq", 8): "gptq-int8", ("awq", 4): "awq-int4", ("hqq", 4): "int4",
    ("auto-round", 4): "int4", ("auto-round", 8): "gptq-int8", ("compressed-tensors", 4): "int4",
    ("compressed-tensors", 8): "gptq-int8",
}  # fmt: skip


def quantization_of(config: Mapping[str, Any]) -> Quantization | None:
    """The format of a checkpoint's weights: `none` where it says nothing, None where it says something unknown."""
    says = config.get("quantization_config")
    if not isinstance(says, Mapping):
        return "none"
    method = str(says.get("quant_method", ""))
    if method == "bitsandbytes":
        return _of_bitsandbytes(says)
    if method in _METHODS:
        return _METHODS[method]
    weights = _weights_of_groups(says)
    if weights.get("type") == "float" and weights.get("num_bits") == 8:
        return "fp8"
    bits = (says.get("bits"), says.get("nbits"), weights.get("num_bits"), _bits_of_hqq(says))
    return next((found for each in bits if (found := _BITS.get((method, _whole(each))))), None)


def _of_bitsandbytes(says: Mapping[str, Any]) -> Quantization:
    if says.get("load_in_4bit"):
        return "fp4" if says.get("bnb_4bit_quant_type") == "fp4" else "nf4"
    return "int8" if says.get("load_in_8bit") else "none"


def _bits_of_hqq(says: Mapping[str, Any]) -> object:
    inner = says.get("quant_config")
    weights = inner.get("weight_quant_params") if isinstance(inner, Mapping) else None
    return weights.get("nbits") if isinstance(weights, Mapping) else None


def _weights_of_groups(says: Mapping[str, Any]) -> Mapping[str, Any]:
    """compressed-tensors' first group of layers, and what it says of their weights."""
    groups = says.get("config_groups")
    first = next(iter(groups.values()), None) if isinstance(groups, Mapping) else None
    weights = first.get("weights") if isinstance(first, Mapping) else None
    return weights if isinstance(weights, Mapping) else {}


def _whole(value: object) -> int:
    return int(value) if isinstance(value, int | str) and str(value).isdecimal() else 0
