"""What a trainer makes of a model, and what it can't run at all: nobody sizes a job that nobody could start."""

from tunestack.sizing.job.fine_tuning import FineTuning
from tunestack.sizing.kinds import Objective
from tunestack.sizing.model.architecture import Architecture, Linear, LinearKind
from tunestack.sizing.trainers.trainer import Trainer

# The Trainer steps in the backward pass with these alone (transformers' `LayerWiseDummyOptimizer`).
_STEP_BY_LAYER = ("galore", "galore_8bit")


def as_built(architecture: Architecture, trainer: Trainer) -> Architecture:
    """A model, which is described as transformers 5 builds it, as the trainer's own or older classes do."""
    if trainer.own_classes:
        architecture = architecture.without_transformers()
    return architecture.with_kinds(lambda linear: _kind(linear, trainer))


def _kind(linear: Linear, trainer: Trainer) -> LinearKind:
    """What a linear is to the trainer's versions of bitsandbytes and PEFT."""
    if linear.kind == "derived":
        return "module" if trainer.own_classes or trainer.quantizes_derived else "derived"
    if trainer.experts_are_modules and linear.matrices and not linear.is_router:
        return "module"
    if trainer.adapts_parameters and not trainer.experts_are_modules:
        return linear.kind
    return "module" if linear.is_module else "parameter"


def why_not(job: FineTuning, objective: Objective = "sft") -> str | None:
    """Why the job's trainer can't run it, as the end of a sentence about the trainer; None where it can."""
    trainer = job.trainer
    if objective not in trainer.objectives:
        return f"has no objective {objective}, only {_listed(trainer.objectives)}"
    if job.method not in trainer.methods:
        return f"has no method {job.method}, only {_listed(trainer.methods)}"
    if (job.gpus > 1 or job.cpu_offload) and job.sharding not in trainer.shardings:
        return f"has no sharding {job.sharding}, only {_listed(trainer.shardings)}"
    if job.checkpointing == "selective" and not trainer.checkpoints_selectively:
        return "has no selective checkpointing"
    if job.optimizer_in_backward and not trainer.steps_in_backward and job.optimizer not in _STEP_BY_LAYER:
        return f"has no {job.optimizer} that steps in the backward pass"
    if job.loss == "tiled" and trainer.loss != "tiled":
        return "has no tiled loss: that is TRL's"
    return None


def _listed(words: frozenset[str]) -> str:
    return ", ".join(sorted(words))
