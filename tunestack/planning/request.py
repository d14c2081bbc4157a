"""What a plan is asked for."""

from dataclasses import dataclass

from tunestack.catalogue.assumptions import SPOT_SAVINGS
from tunestack.sizing.job.fine_tuning import LARGEST, FineTuning, SizingError
from tunestack.sizing.kinds import Objective, Sharding
from tunestack.sizing.model.architecture import Architecture

MOST_TOKENS = 10**15
# What shares the states of a job, the first that its trainer has.
SHARED: tuple[Sharding, ...] = ("fsdp", "zero3", "zero1")


@dataclass(frozen=True, kw_only=True)
class PlanRequest:
    """A job to place: `job` says method, rank and sequence length; batch, GPUs and sharding are what a plan chooses.

    Raises:
        SizingError: a figure that can't be.
    """

    architecture: Architecture
    job: FineTuning
    tokens: int
    # Of pairs (dpo, simpo, reward), tokens and rows count each row of a pair by itself.
    objective: Objective = "sft"
    # Sequences that one optimizer step should see; micro-batch, GPUs and accumulation multiply to it.
    effective_batch: int = 16
    region: str = "us-east-1"
    deadline_hours: float | None = None
    budget_usd: float | None = None
    spot_savings: float = SPOT_SAVINGS
    # Plan for these instance types only.
    instance_types: tuple[str, ...] = ()
    max_instances: int = 4
    # What the job's trainer shards (FSDP, ZeRO-3: weights and states) lies on the host, on one GPU, too.
    cpu_offload: bool = False
    fixed_micro_batch: bool = False

    def __post_init__(self) -> None:
        for name, most in (("tokens", MOST_TOKENS), ("effective_batch", LARGEST)):
            if not 1 <= getattr(self, name) <= most:
                raise SizingError(f"{name} must be from 1 to {most:,}, got {getattr(self, name)}")
        for name in ("deadline_hours", "budget_usd"):
            value = getattr(self, name)
            if value is not None and not 0 < value < float("inf"):
                raise SizingError(f"{name} must be greater than 0, got {value:g}")
        if self.cpu_offload and not self.shared:
            raise SizingError(f"cpu_offload needs FSDP or ZeRO, and {self.job.trainer.name} has neither")
        if not 0 <= self.spot_savings < 1:
            raise SizingError(f"spot_savings must be in [0, 1), got {self.spot_savings:g}")

    @property
    def shared(self) -> tuple[Sharding, ...]:
        """How the job's trainer shares its states, where it does."""
        return tuple(kind for kind in SHARED if kind in self.job.trainer.shardings)[:1]
