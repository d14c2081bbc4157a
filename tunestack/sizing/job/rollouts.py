"""How GRPO and RLOO get the answers that they train on."""

from dataclasses import dataclass

from tunestack.sizing.job.fine_tuning import LARGEST, SizingError


@dataclass(frozen=True, kw_only=True)
class Rollouts:
    """By the names of TRL's GRPOConfig.

    Raises:
        SizingError: a setting is out of range.
    """

    num_generations: int = 8
    # Above 0, a model that all weights train has a frozen reference beside it.
    beta: float = 0.0
    # vLLM on the training's own GPUs (`vllm_mode="colocate"`), and its share of each; None: transformers' generate.
    vllm_gpu_memory_utilization: float | None = None
    # The engine gives its share back while the model trains.
    vllm_enable_sleep_mode: bool = False

    def __post_init__(self) -> None:
        share = self.vllm_gpu_memory_utilization
        if not 1 <= self.num_generations <= LARGEST:
            raise SizingError(f"num_generations must be from 1 to {LARGEST:,}, got {self.num_generations}")
        if share is not None and not 0 < share <= 1:
            raise SizingError(f"vllm_gpu_memory_utilization must be in (0, 1], got {share:g}")
        if self.vllm_enable_sleep_mode and share is None:
            raise SizingError("vllm_enable_sleep_mode needs vllm_gpu_memory_utilization: an engine that sleeps")


# GRPOConfig's own defaults.
USUAL = Rollouts()
