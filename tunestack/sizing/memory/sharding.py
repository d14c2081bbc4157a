"""How weights, gradients and optimizer states are spread over GPUs, and what is gathered whole for a moment."""

import math
from dataclasses import dataclass

from tunestack.sizing.job.fine_tuning import FineTuning
from tunestack.sizing.model.architecture import Architecture

# DeepSpeed's defaults, in elements: `allgather_bucket_size`, `reduce_bucket_size`; `stage3_max_live_parameters`.
ZERO_BUCKET = 500_000_000
ZERO3_LIVE = 1_000_000_000
# FSDP gathers the next unit while one computes.
UNITS_IN_FLIGHT = 2


@dataclass(frozen=True, kw_only=True)
class Shares:
    """The part of each kind of state that one GPU holds."""

    weights: float
    gradients: float
    optimizer: float


def layers_share(architecture: Architecture, gpus: int) -> float:
    """The part of the layers that the fullest of `gpus` GPUs has, when each has whole ones."""
    return math.ceil(architecture.depth / gpus) / architecture.depth


def shares(architecture: Architecture, job: FineTuning) -> Shares:
    """What one GPU of `job.gpus` holds of weights, gradients and optimizer states."""
    split = 1 / job.tensor_parallel
    if job.sharding == "layers" and job.gpus > 1:
        # Embedding and head lie on different GPUs.
        root = max(architecture.embedding_parameters, architecture.head_parameters)
        outside = architecture.embedding_parameters + architecture.head_parameters
        inside = (architecture.parameters - outside) * layers_share(architecture, job.gpus)
        split = (inside + root) / architecture.parameters
    over = job.one_shard
    whole = {
        "none": (1.0, 1.0, 1.0),
        "ddp": (1.0, 1.0, 1.0),
        "tensor": (1.0, 1.0, 1.0),
        "layers": (1.0, 1.0, 1.0),
        "zero1": (1.0, 1.0, over),
        "zero2": (1.0, over, over),
        "zero3": (over, over, over),
        "fsdp": (over, over, over),
    }[job.sharding]
    weights, gradients, optimizer = (part * split for part in whole)
    return Shares(weights=weights, gradients=gradients, optimizer=optimizer)


def gathered_bytes(architecture: Architecture, job: FineTuning, *, layer_bytes: float, root_bytes: float) -> float:
    """Parameters that a GPU holds whole for a moment: FSDP's units and root, ZeRO-3's live parameters.

    `layer_bytes` is the largest layer, `root_bytes` embedding, head and final norm, both in the gathered dtype.
    """
    if (job.gpus == 1 and not job.cpu_offload) or job.sharding not in ("fsdp", "zero3"):
        return 0
    if job.sharding == "fsdp":
        return (UNITS_IN_FLIGHT * layer_bytes + root_bytes) / job.tensor_parallel
    everything = architecture.depth * layer_bytes + root_bytes
    return min(everything, ZERO3_LIVE * job.compute_bytes)


def bucket_bytes(job: FineTuning, *, gradient_bytes: float) -> float:
    """Buffers that gradients are reduced through: DDP's as large as the gradients, ZeRO's of a fixed size.

    DeepSpeed has its own on one GPU, too (v0.16.4, runtime/zero/stage_1_and_2.py:2045: no check of the world's size).
    """
    if job.sharding in ("zero1", "zero2"):
        return min(2 * ZERO_BUCKET * job.compute_bytes, 2 * gradient_bytes)
    return gradient_bytes if job.sharding == "ddp" and job.gpus > 1 else 0
