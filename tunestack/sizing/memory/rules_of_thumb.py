"""The rules of thumb that everyone quotes, by name. The architecture-aware model takes their place where it matters:
they know nothing of sequence length, batch, logits, checkpointing or quantisation."""

BYTES_PER_FP32_PARAMETER = 4
# Weights, two Adam states, gradients, and twice the weights for activations and temporary memory.
FULL_FINE_TUNING_MULTIPLE = 6
GB = 1_000_000_000


def fp32_inference_gb(parameters: float) -> float:
    """Memory of the weights alone: 4 bytes a parameter, so that 1B needs 4 GB."""
    return parameters * BYTES_PER_FP32_PARAMETER / GB


def full_fine_tuning_gb(parameters: float) -> float:
    """Memory of full fp32 fine-tuning with Adam: six times the weights, so that 1B needs 24 GB."""
    return fp32_inference_gb(parameters) * FULL_FINE_TUNING_MULTIPLE
