"""The rules of thumb that everyone quotes. The architecture-aware model takes their place where it matters."""

import re

BYTES_PER_FP32_PARAMETER = 4
# Weights, two Adam states, gradients, and twice the weights for activations and temporary memory.
FULL_FINE_TUNING_MULTIPLE = 6
# Forward 2N and backward 2N through frozen weights (Chowdhery et al. 2022 count 6N with their gradients),
# and the forward pass once more for gradient checkpointing.
FLOPS_PER_PARAMETER_AND_TOKEN = 6
# The share of a GPU's bf16 peak that a QLoRA run on one GPU reaches; public logs spread from 0.15 to 0.45.
MODEL_FLOPS_UTILISATION = 0.3
GB = 1_000_000_000

_SIZE_IN_NAME = re.compile(r"(?i)(?:^|[-_/])(\d+(?:\.\d+)?)([mb])(?=$|[-_.])")


def parameters_from_name(model: str) -> float | None:
    """The parameter count that a model's name states (`Llama-3.1-8B` → 8e9), or None where it states none."""
    found = _SIZE_IN_NAME.findall(model)
    if not found:
        return None
    size, unit = found[-1]
    return float(size) * (1e9 if unit.lower() == "b" else 1e6)


def fp32_inference_gb(parameters: float) -> float:
    """Memory of the weights alone: 4 bytes a parameter, so that 1B needs 4 GB."""
    return parameters * BYTES_PER_FP32_PARAMETER / GB


def full_fine_tuning_gb(parameters: float) -> float:
    """Memory of full fp32 fine-tuning with Adam: six times the weights, so that 1B needs 24 GB."""
    return fp32_inference_gb(parameters) * FULL_FINE_TUNING_MULTIPLE


def training_hours(*, parameters: float, tokens: float, gpus: int, gpu_tflops: float) -> float:
    """Hours that a QLoRA run over so many tokens takes on GPUs of so many dense bf16 TFLOPS each."""
    flops = FLOPS_PER_PARAMETER_AND_TOKEN * parameters * tokens
    return flops / (gpus * gpu_tflops * 1e12 * MODEL_FLOPS_UTILISATION) / 3600
