"""What serving many tuned models of one base needs, and what merging one takes of the host."""

from dataclasses import dataclass, replace

from tunestack.sizing.job.fine_tuning import FineTuning, SizingError
from tunestack.sizing.job.trainable import adapter_parameters, check_rank
from tunestack.sizing.memory.estimate import MemoryEstimate
from tunestack.sizing.memory.inference_memory import Inference, answering, inference_memory
from tunestack.sizing.memory.overhead import device_bytes
from tunestack.sizing.model.architecture import Architecture
from tunestack.sizing.precision import BYTES, Dtype

# safetensors writes a shard of this size at a time from a copy (transformers' `max_shard_size`).
SHARD_BYTES = 5e9
# vLLM's defaults: its share of the GPU (EngineArgs `gpu_memory_utilization`), tokens of a block of its cache
# (`block_size`), and what its logs say of CUDA graphs (0.17 to 0.36 GiB: vllm-project/vllm#11349).
UTILIZATION, BLOCK_TOKENS, CUDA_GRAPHS_BYTES = 0.9, 16, 0.3 * 1024**3


@dataclass(frozen=True, kw_only=True)
class PackageNeeds:
    """What fusing an adapter into its base takes, in bytes."""

    host_memory_bytes: float
    # Where there is a GPU: the fp32 model alone.
    gpu_memory_bytes: float
    disk_bytes: float


def many_adapters(architecture: Architecture, job: Inference, *, count: int, rank: int) -> MemoryEstimate:
    """One base with `count` adapters of a rank on all linears loaded side by side.

    Raises:
        SizingError: the rank is above the width.
    """
    adapted = FineTuning(method="lora", per_device_train_batch_size=1, max_length=job.max_length, r=rank)
    check_rank(architecture, adapted)
    each = adapter_parameters(architecture, adapted)
    return inference_memory(architecture, replace(job, adapters=count, adapter_parameters=each))


def engine_memory(found: MemoryEstimate, *, capacity_bytes: float, utilization: float = UTILIZATION) -> MemoryEstimate:
    """What an engine shows that takes its share of the GPU at its start (vLLM): its cache fills what is left.

    Capturing CUDA graphs comes on top.
    """
    taken = max(found.device_bytes, utilization * capacity_bytes + CUDA_GRAPHS_BYTES)
    return replace(found, reserved_bytes=taken, device_bytes=taken)


def cache_tokens(
    architecture: Architecture, job: Inference, *, capacity_bytes: float, utilization: float = UTILIZATION
) -> int:
    """Tokens of all sequences together whose keys and values an engine has room for, in whole blocks; 0 where none.

    Raises:
        SizingError: the model can't be shared by so many GPUs.
    """
    found = answering(architecture, job)
    if not found.cache.size_bytes:
        raise SizingError("no layer of the model caches tokens: there is no cache to size")
    each = found.cache.size_bytes / (job.batch * job.max_length)
    outside = device_bytes(0, gpus=job.gpus)
    room = utilization * capacity_bytes - outside - (found.phase.size_bytes - found.cache.size_bytes)
    return max(0, int(room / each / BLOCK_TOKENS)) * BLOCK_TOKENS


def many_copies(architecture: Architecture, job: Inference, *, count: int) -> float:
    """Bytes of device memory of `count` merged models, each with its own weights and cache."""
    one = inference_memory(architecture, job)
    return count * job.gpus * one.device_bytes


def package_needs(architecture: Architecture, *, dtype: Dtype = "fp32", archive: bool = True) -> PackageNeeds:
    """De-quantise to fp32, add the adapter, save in `dtype`; the 4-bit base goes as the fp32 one is made.

    On disk lie the base as it was uploaded (16 bit), the fused model, and, with `archive`, its model.tar.gz.
    """
    parameters = architecture.parameters
    fused = parameters * BYTES[dtype]
    return PackageNeeds(
        host_memory_bytes=parameters * 4 + min(SHARD_BYTES, fused),
        gpu_memory_bytes=parameters * 4,
        disk_bytes=parameters * 2 + fused * (2 if archive else 1),
    )
