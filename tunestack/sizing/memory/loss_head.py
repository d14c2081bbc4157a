"""The logits and what the loss makes of them: for small models with large vocabularies the largest term of all."""

from tunestack.sizing.job.fine_tuning import FineTuning
from tunestack.sizing.model.architecture import Architecture

# A compiled loss has no fp32 tensors: 16-bit logits and their gradient, or of chunks the logits, and one's gradient.
PLAIN_COMPILED, CHUNKED_COMPILED = 4.0, 2.5
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
    return bytes_per_logit(architecture, job) * job.tokens * architecture.vocabulary / job.tensor_parallel


def bytes_per_logit(architecture: Architecture, job: FineTuning) -> float:
    """Bytes per logit (token × vocabulary entry) that are there at once, where the trainer's code makes logits."""
    softcap = SOFTCAP_BYTES if architecture.softcaps else 0
    each = job.trainer.chunked_bytes_per_logit if job.loss == "chunked" else job.trainer.plain_bytes_per_logit
    if job.fuses_layers and job.loss == "chunked" and job.trainer.compiles_chunked_loss:
        each = CHUNKED_COMPILED
    if job.fuses_layers and job.loss == "plain" and job.trainer.compiles_plain_loss:
        each = PLAIN_COMPILED
    return each + softcap


def unfitting_bytes(architecture: Architecture, job: FineTuning) -> float:
    """What the allocator holds beside the logits of a plain loss: their 16-bit gradient, for which no block of the fp32
    ones that are still there fits. A compiled loss has none of those (benchmarks/data/gpu_sharded.csv: 2.0 GiB of 8,192
    tokens × 128,256).
    """
    compiled = job.fuses_layers and job.trainer.compiles_plain_loss
    alone = job.loss == "plain" and job.trainer.fp32_loss and not compiled
    return job.compute_bytes * job.tokens * architecture.vocabulary / job.tensor_parallel if alone else 0.0


def tile_bytes(architecture: Architecture, job: FineTuning) -> float:
    """One tile of logits, the hidden states that it reads, and their gradient: fp32, and once more in 16 bit."""
    tile = min(job.tokens, TILE_TOKENS) * TILE_VOCABULARY * job.compute_bytes
    return tile + job.tokens * architecture.hidden * (FP32 + 2 * job.compute_bytes)


def head_input_bytes(architecture: Architecture, job: FineTuning, *, trains: bool) -> float:
    """The final norm's kept tensors, and the head's input where its weight trains."""
    e, hidden = job.compute_bytes, architecture.hidden
    norm = (4 if architecture.rms_norm else e) * hidden
    return job.tokens * (norm + (2 * e * hidden if trains else 0))
