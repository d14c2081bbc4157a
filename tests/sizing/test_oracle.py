"""The memory model against torch's own memory tracker, component by component, without a GPU."""

import json
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.sizing.jobs import trainer_with
from tunestack.sizing.job.fine_tuning import FineTuning
from tunestack.sizing.memory.estimate import MemoryEstimate
from tunestack.sizing.memory.training_memory import training_memory
from tunestack.sizing.model.families import from_config

pytestmark = pytest.mark.slow
CONFIG = {
    "model_type": "llama", "hidden_size": 1024, "intermediate_size": 2816, "num_hidden_layers": 8,
    "num_attention_heads": 16, "num_key_value_heads": 4, "vocab_size": 4000, "tie_word_embeddings": False,
}  # fmt: skip
BATCH, LENGTH, RANK = 2, 512, 16
CASES = [(rank, checkpointing) for rank in (0, RANK) for checkpointing in (False, True)]
MIB = 1024**2


@cache
def tracked() -> dict[tuple[int, bool], dict[str, int]]:
    steps = [
        {"config": CONFIG, "rank": rank, "checkpointing": kept, "batch": BATCH, "length": LENGTH}
        for rank, kept in CASES
    ]
    command = [ROOT / ".venv-training" / "bin" / "python", Path(__file__).with_name("oracle.py")]
    done = subprocess.run(command, input=json.dumps(steps), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return dict(zip(CASES, json.loads(done.stdout), strict=True))


def modelled(rank: int, checkpointing: bool) -> MemoryEstimate:
    method: Any = "lora" if rank else "full"
    job = FineTuning(
        method=method, r=rank or 1, lora_dropout=0.0, trainer=trainer_with(fp32_adapters=False), per_device_train_batch_size=BATCH,
        max_length=LENGTH, checkpointing="full" if checkpointing else "none", attention="flash",
    )  # fmt: skip
    return training_memory(from_config(CONFIG, name="oracle"), job)


def parts(estimate: MemoryEstimate, *prefixes: str) -> float:
    return sum(size for name, size in estimate.components().items() if name.startswith(prefixes)) / MIB


@pytest.mark.parametrize(("rank", "checkpointing"), CASES)
def test_parameters_and_optimizer_states_are_equal(rank: int, checkpointing: bool) -> None:
    found, told = modelled(rank, checkpointing), tracked()[rank, checkpointing]
    assert parts(found, "weights", "adapter weights") == pytest.approx(told["Parameter"] / MIB, rel=1e-3)
    # The tracker counts the step's temporary among the states.
    assert parts(found, "optimizer") == pytest.approx(told["Optstate"] / MIB, rel=1e-2)


@pytest.mark.parametrize(("rank", "checkpointing"), CASES)
def test_activations_and_what_moves_agree_within_a_tenth(rank: int, checkpointing: bool) -> None:
    found, told = modelled(rank, checkpointing), tracked()[rank, checkpointing]
    moving = parts(found, "activations", "checkpoints", "logits", "gradient", "operators")
    assert moving == pytest.approx(sum(told[kind] for kind in ("Activation", "Temp", "Gradient")) / MIB, rel=0.1)


@pytest.mark.parametrize(("rank", "checkpointing"), CASES)
def test_the_peaks_agree_within_four_per_cent(rank: int, checkpointing: bool) -> None:
    found, told = modelled(rank, checkpointing), tracked()[rank, checkpointing]
    without_workspace = found.allocated_bytes - found.components()["cuBLAS workspace"]
    assert without_workspace == pytest.approx(told["Total"], rel=0.04)
