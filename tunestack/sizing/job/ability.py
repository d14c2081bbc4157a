"""What a stack makes of a model, and what it can't run at all: nobody sizes a job that nobody could start."""

from tunestack.sizing.job.fine_tuning import FineTuning
from tunestack.sizing.kinds import Objective
from tunestack.sizing.model.architecture import Architecture
from tunestack.sizing.stacks.stack import Stack

# The Trainer steps in the backward pass with these alone (transformers' `LayerWiseDummyOptimizer`).
_STEP_BY_LAYER = ("galore", "galore_8bit")


def as_built(architecture: Architecture, stack: Stack) -> Architecture:
    """A model, which is described as transformers 5 builds it, as the stack's own or older classes do."""
    if stack.own_classes:
        architecture = architecture.without_transformers()
    if stack.quantizes_derived:
        architecture = architecture.with_quantized_classes()
    if stack.experts_are_modules:
        return architecture.with_expert_modules()
    return architecture if stack.adapts_parameters else architecture.with_modules_adapted()


def why_not(job: FineTuning, objective: Objective = "sft") -> str | None:
    """Why the job's stack can't run it, as the end of a sentence about the stack; None where it can."""
    stack = job.stack
    if objective not in stack.objectives:
        return f"has no objective {objective}, only {_listed(stack.objectives)}"
    if job.method not in stack.methods:
        return f"has no method {job.method}, only {_listed(stack.methods)}"
    if (job.gpus > 1 or job.cpu_offload) and job.sharding not in stack.shardings:
        return f"has no sharding {job.sharding}, only {_listed(stack.shardings)}"
    if job.checkpointing == "selective" and not stack.checkpoints_selectively:
        return "has no selective checkpointing"
    if job.optimizer_in_backward and not stack.steps_in_backward and job.optimizer not in _STEP_BY_LAYER:
        return f"has no {job.optimizer} that steps in the backward pass"
    if job.loss == "tiled" and stack.loss != "tiled":
        return "has no tiled loss: that is TRL's"
    return None


def _listed(words: frozenset[str]) -> str:
    return ", ".join(sorted(words))
