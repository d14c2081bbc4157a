"""The logits and what the loss makes of them: for small models with large vocabularies the largest term of all."""

from tunestack.sizing.job.fine_tuning import FineTuning, LossKernel
from tunestack.sizing.model.architecture import Architecture

# Bytes per logit (token × vocabulary entry) that are there at once.
BYTES_PER_LOGIT: dict[LossKernel, float] = {
    # 16-bit logits, the fp32 log-softmax that the loss keeps, the fp32 gradient that enters it and the one that
    # leaves it: 2 + 4 + 4 + 4, less the logits where nobody holds them. Measured 10-12 (memory.md).
    "plain": 12,
    # transformers before 4.45 with its Trainer, six fp32 tensors: the model's upcast, the shifted contiguous copy,
    # log-softmax, the gradient that enters it and the one that leaves it, Accelerate's copy of the outputs. Measured:
    # about 20 (memory.md).
    "trainer_2023": 24,
    # The head computed in chunks: every chunk's fp32 logits and log-softmax are kept, but gradients are a chunk's
    # (litgpt; torchtune keeps 16-bit logits and needs 6).
    "chunked": 8,
    # TRL's own head: no logits, but one tile of them at a time (`tile_bytes`), computed once more in the backward pass.
    "tiled": 0,
    # Liger's fused linear cross-entropy, cut cross-entropy: a chunk at a time, gradients at once.
    "fused": 0,
    # A reward model's head has one output, not a vocabulary.
    "score": 0,
}
# tanh keeps its result.
SOFTCAP_BYTES = 2
# Liger's chunk is about hidden/vocabulary of the tokens: its logits take as much as the hidden states, in fp32 twice.
FUSED_CHUNKS_OF_HIDDEN = 3
# TRL's tile, always so wide, and as high as there are tokens up to this (`TOKEN_CHUNK_SIZE` in its
# kernels/chunked_logprob.py, `_CHUNKED_LOGPROB_CHUNK_SIZE` in its trainer/utils.py, 1.16.0).
TILE_TOKENS, TILE_VOCABULARY = 4096, 32768
FP32 = 4


def logit_bytes(architecture: Architecture, job: FineTuning) -> float:
    """Bytes of the logits, the loss and their gradients at the moment when the most of them is there."""
    if job.loss == "score":
        return 16.0 * job.per_device_train_batch_size
    if job.loss == "fused":
        return FUSED_CHUNKS_OF_HIDDEN * job.compute_bytes * job.tokens * architecture.hidden
    if job.loss == "tiled":
        return tile_bytes(architecture, job)
    softcap = SOFTCAP_BYTES if architecture.softcaps else 0
    return (BYTES_PER_LOGIT[job.loss] + softcap) * job.tokens * architecture.vocabulary / job.tensor_parallel


def tile_bytes(architecture: Architecture, job: FineTuning) -> float:
    """One tile of logits, the hidden states that it reads, and their gradient: fp32, and once more in 16 bit."""
    tile = min(job.tokens, TILE_TOKENS) * TILE_VOCABULARY * job.compute_bytes
    return tile + job.tokens * architecture.hidden * (FP32 + 2 * job.compute_bytes)


def head_input_bytes(architecture: Architecture, job: FineTuning, *, trains: bool) -> float:
    """The final norm's kept tensors, and the head's input where its weight trains."""
    e, hidden = job.compute_bytes, architecture.hidden
    norm = (4 if architecture.rms_norm else e) * hidden
    return job.tokens * (norm + (2 * e * hidden if trains else 0))
