"""What an optimizer keeps for each trainable parameter, and what it needs for a moment in its step."""

from dataclasses import dataclass
from functools import cache
from typing import Literal

Optimizer = Literal[
    "adamw", "adamw_fused", "adamw_fp32", "adamw_8bit", "adamw_4bit", "paged_adamw", "paged_adamw_8bit", "sgd",
    "sgd_momentum", "adafactor", "lion", "lion_8bit", "galore", "galore_8bit", "muon",
]  # fmt: skip

# bitsandbytes' blockwise states: an fp32 absmax for each 256 values (arXiv 2110.02861).
BLOCK = 256
GALORE_RANK = 128


@dataclass(frozen=True, kw_only=True)
class StateBytes:
    """Bytes per trainable parameter: kept between steps, and on top for the moment of the step."""

    kept: float
    step: float
    # Held in unified memory outside PyTorch's allocator; moves to the host under pressure.
    paged: bool = False


@cache
def state_bytes(optimizer: Optimizer, *, parameter_bytes: float) -> StateBytes:
    """States of one matrix parameter of `parameter_bytes` bytes.

    Adam's two moments have the parameter's dtype in torch.optim; its `foreach` step makes one more tensor as large as
    the parameters (sqrt of the second moment). bitsandbytes' 8-bit states are blockwise and fused.
    """
    eight_bit = 1 + 4 / BLOCK
    four_bit = 0.5 + 4 / 128
    return {
        "adamw": StateBytes(kept=2 * parameter_bytes, step=parameter_bytes),
        # torch.optim's fused kernel has no such tensor.
        "adamw_fused": StateBytes(kept=2 * parameter_bytes, step=0),
        "adamw_fp32": StateBytes(kept=8, step=4),
        "adamw_8bit": StateBytes(kept=2 * eight_bit, step=0),
        "adamw_4bit": StateBytes(kept=2 * four_bit, step=0),
        "paged_adamw": StateBytes(kept=8, step=0, paged=True),
        "paged_adamw_8bit": StateBytes(kept=2 * eight_bit, step=0, paged=True),
        "sgd": StateBytes(kept=0, step=0),
        "sgd_momentum": StateBytes(kept=parameter_bytes, step=0),
        # Row and column sums only (arXiv 1804.04235); the update is a tensor of its own, one parameter at a time.
        "adafactor": StateBytes(kept=0.01, step=0),
        "lion": StateBytes(kept=parameter_bytes, step=0),
        "lion_8bit": StateBytes(kept=eight_bit, step=0),
        # Of the part that isn't low-rank; see `galore_share`.
        "galore": StateBytes(kept=2 * parameter_bytes, step=parameter_bytes),
        "galore_8bit": StateBytes(kept=2 * eight_bit, step=0),
        # One momentum for matrices, orthogonalised in bf16 one at a time.
        "muon": StateBytes(kept=parameter_bytes, step=0),
    }[optimizer]


def galore_share(rank: int, rows: int, columns: int) -> float:
    """The states of a matrix under GaLore, relative to a full optimizer's two moments (arXiv 2403.03507, section 4).

    Two moments of rank × the longer side, and the projection of rank × the shorter one.
    """
    short, long = min(rows, columns), max(rows, columns)
    rank = min(rank, short)
    return (2 * rank * long + rank * short) / (2 * rows * columns)
