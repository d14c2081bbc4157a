"""What a training is for → what it needs beside the trained model."""

from tunestack.sizing.job.ability import as_built
from tunestack.sizing.job.fine_tuning import FineTuning
from tunestack.sizing.job.rollouts import USUAL, Rollouts
from tunestack.sizing.kinds import Objective
from tunestack.sizing.memory.estimate import MemoryEstimate
from tunestack.sizing.memory.preference_memory import dpo_memory, grpo_memory, ppo_memory, reward_memory
from tunestack.sizing.memory.training_memory import training_memory
from tunestack.sizing.model.architecture import Architecture


def objective_memory(
    architecture: Architecture, job: FineTuning, objective: Objective, *, rollouts: Rollouts = USUAL,
    capacity_bytes: float | None = None,
) -> MemoryEstimate:  # fmt: skip
    """The peak of one GPU. PPO's reward and value models are models of their own, as large as the policy.

    `rollouts`, and the `capacity_bytes` of which an engine has a share, count for GRPO alone.

    Raises:
        SizingError: the job can't be.
    """
    architecture = as_built(architecture, job.trainer)
    match objective:
        case "sft":
            return training_memory(architecture, job)
        case "dpo" | "simpo":
            return dpo_memory(architecture, job, reference=objective == "dpo")
        case "reward":
            return reward_memory(architecture, job)
        case "ppo":
            return ppo_memory(architecture, job, reward=architecture, value=architecture)
        case "grpo":
            return grpo_memory(architecture, job, rollouts, capacity_bytes=capacity_bytes)
