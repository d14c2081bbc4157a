"""Models and jobs that the tests of the memory model size."""

from dataclasses import replace
from typing import Any

from tunestack.catalogue.models import model_configs
from tunestack.sizing.job.fine_tuning import FineTuning
from tunestack.sizing.memory.estimate import MemoryEstimate
from tunestack.sizing.model.architecture import Architecture
from tunestack.sizing.model.families import from_config
from tunestack.sizing.trainers.known import TUNESTACK
from tunestack.sizing.trainers.trainer import Trainer


def model(name: str) -> Architecture:
    return from_config(model_configs()[name], name=name)


def job(**chosen: Any) -> FineTuning:
    return FineTuning(**{"method": "lora", "per_device_train_batch_size": 1, "max_length": 512, **chosen})


def trainer_with(**facts: Any) -> Trainer:
    """This kit's trainer, with other facts."""
    return replace(TUNESTACK, **facts)


def full(**chosen: Any) -> FineTuning:
    return job(**{"method": "full", **chosen})


def qlora(**chosen: Any) -> FineTuning:
    return job(quantization="nf4", double_quant=True, **chosen)


def weights(estimate: MemoryEstimate) -> float:
    return sum(size for name, size in estimate.components().items() if name.startswith("weights"))


LLAMA_8B = model("meta-llama/Llama-3.1-8B")
