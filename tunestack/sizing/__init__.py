"""What a fine-tuning needs: memory and time, from a model's shape and the method. Standard library alone.

>>> from tunestack.sizing import find_model, job_of_method, training_memory
>>> found = training_memory(find_model("meta-llama/Llama-3.1-8B"), job_of_method("qlora", max_length=2048))
>>> found.peak.name, found.range_gib
('backward of the last layer', '8.1 GiB (6.9–9.5)')
>>> found.fits(24e9)
'yes'
"""

from tunestack.sizing.job.fine_tuning import FineTuning, SizingError
from tunestack.sizing.job.named_methods import NamedMethod, job_of_method
from tunestack.sizing.kinds import Objective
from tunestack.sizing.memory.envelope import envelope
from tunestack.sizing.memory.estimate import MemoryEstimate
from tunestack.sizing.memory.inference_memory import Inference, inference_memory
from tunestack.sizing.memory.objectives import objective_memory
from tunestack.sizing.memory.training_memory import training_memory
from tunestack.sizing.model.architecture import Architecture
from tunestack.sizing.model.model_source import find_model
from tunestack.sizing.trainers.choice import find_trainer, possible_trainers

# What trainers were called before 0.2.
find_stack, possible_stacks = find_trainer, possible_trainers

__all__ = [
    "Architecture",
    "FineTuning",
    "Inference",
    "MemoryEstimate",
    "NamedMethod",
    "Objective",
    "SizingError",
    "envelope",
    "find_model",
    "find_stack",
    "find_trainer",
    "inference_memory",
    "job_of_method",
    "objective_memory",
    "possible_stacks",
    "possible_trainers",
    "training_memory",
]
