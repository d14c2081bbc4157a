"""What a GPU holds besides tensors: workspaces, the allocator's slack, the CUDA context, NCCL's buffers."""

MIB, GIB = 1024**2, 1024**3

# cuBLAS' workspace on Ampere (8 MiB) to Hopper (32 MiB), which PyTorch's allocator holds.
WORKSPACE_MIB = 32
# What operators need for a moment besides the tensors that are modelled: torch's memory tracker counts 5 to 8 % of
# what moves (tests/sizing/test_oracle.py).
TEMPORARIES = 0.06
# Blocks freed and not fitting again: of what changes during a step, a fifth with checkpointing (the median of 24
# trainings of ours, 8 to 39 %) and a twentieth where nothing is recomputed or the weights train (0 to 11 % in 19).
SLACK_OF_DYNAMIC, SLACK_WITHOUT_RECOMPUTING = 0.2, 0.05
# With batches of different lengths: the mean of four trainings of ours (9, 13, 52 and 78 %), benchmarks/data/gpu_*.csv.
SLACK_OF_VARYING = 0.38
# Expandable segments: blocks grow where they are.
SLACK_OF_FIXED_BLOCKS = 0.03
SLACK_OF_STATIC = 0.01
# Context and kernels: 0.74 GiB in 50 trainings of ours on an H200 with CUDA 13 (benchmarks/data/gpu_first.csv); others
# have 0.5-1 GB by card and loaded libraries (memory.md).
CONTEXT_GIB = 0.74
NCCL_GIB = 0.5


def workspace_bytes() -> float:
    return WORKSPACE_MIB * MIB


def reserved_bytes(allocated: float, *, static: float, slack: float = SLACK_OF_DYNAMIC) -> float:
    """What the allocator holds for so many bytes of tensors, of which `static` never move."""
    dynamic = max(allocated - static, 0)
    return allocated + slack * dynamic + SLACK_OF_STATIC * min(static, allocated)


def device_bytes(reserved: float, *, gpus: int = 1) -> float:
    """What nvidia-smi shows for it."""
    return reserved + (CONTEXT_GIB + (NCCL_GIB if gpus > 1 else 0)) * GIB
