"""The memory model against torch's own memory tracker, which watches this kit's trainers take two steps."""

import json
import os
import subprocess
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from benchmarks.gpu_jobs import FUSED, KEEP, LORA, sft
from tests.conftest import ROOT
from tunestack.sizing import find_trainer, job_of_method, objective_memory
from tunestack.sizing.memory.estimate import MemoryEstimate
from tunestack.sizing.model.families import from_config
from tunestack.sizing.trainers.known import TUNESTACK

pytestmark = pytest.mark.slow
# Words are few, since the loss has no kernel on a CPU: what torch's operators take in its place grows with them.
SHAPE = {
    "hidden_size": 1024, "intermediate_size": 2816, "num_hidden_layers": 8, "num_attention_heads": 8,
    "num_key_value_heads": 2, "vocab_size": 512, "tie_word_embeddings": False, "max_position_embeddings": 4096,
}  # fmt: skip
# What a CPU's operators take beside the model is some 17 MB, however many layers there are: where little is trained, that
# is seen in a model of eight.
DEEPER = {**SHAPE, "num_hidden_layers": 16}
EXPERTS = {"num_experts": 8, "num_experts_per_tok": 2, "moe_intermediate_size": 512}
CONFIGS = {
    "llama": {"model_type": "llama", **SHAPE},
    "llama, deeper": {"model_type": "llama", **DEEPER},
    "qwen3": {"model_type": "qwen3", "head_dim": 128, **SHAPE},
    "qwen3_moe": {"model_type": "qwen3_moe", "head_dim": 128, **SHAPE, **EXPERTS},
}
SHORT = {"training__max_steps": 2, "training__gradient_accumulation_steps": 1}
# This kit's trainer loads fp32 where there is no GPU with bfloat16; TRL's are given bfloat16. PyTorch's kernel for CPUs
# takes fewer heads of keys than of queries, in fp32, too.
FP32 = {"weight_dtype": "fp32", "compute_dtype": "fp32", "trainer": replace(TUNESTACK, passes_groups=False)}
TRL = {"trainer": find_trainer("trl"), "lora_dropout": 0.0}
# name → model, what the trainer gets, TRL's method, the memory model's method, objective and settings.
Case = tuple[str, dict[str, Any], str, str, str, dict[str, Any]]
CASES: dict[str, Case] = {
    "qlora": ("llama", sft(2, 512, **SHORT), "", "qlora", "sft", FP32),
    "qlora, packed": ("llama", sft(2, 512, training__packing=True, **SHORT), "", "qlora", "sft", FP32),
    "lora": ("llama", sft(2, 512, **LORA, **SHORT), "", "lora", "sft", FP32),
    "lora, nothing recomputed": (
        "llama", sft(2, 512, **LORA, **KEEP, **SHORT), "", "lora", "sft", {**FP32, "checkpointing": "none"},
    ),
    "lora, qwen3": ("qwen3", sft(2, 512, **LORA, **SHORT), "", "lora", "sft", FP32),
    "lora, experts": ("qwen3_moe", sft(2, 512, **LORA, **SHORT), "", "lora", "sft", FP32),
    "full": ("llama", sft(2, 512, **FUSED, **SHORT), "full", "full", "sft", TRL),
    "full, qwen3, nothing recomputed": (
        "qwen3", sft(2, 512, **FUSED, **KEEP, **SHORT), "full", "full", "sft", {**TRL, "checkpointing": "none"},
    ),
    "lora with a trained head": (
        "llama", sft(2, 512, **FUSED, **SHORT), "lora, trained head", "lora", "sft",
        {**TRL, "modules_to_save": ("lm_head",)},
    ),
    "prompt tuning": ("llama, deeper", sft(2, 512, **FUSED, **SHORT), "prompt_tuning", "prompt_tuning", "sft", TRL),
    "dpo": ("llama", sft(2, 256, **FUSED, **SHORT), "dpo lora", "lora", "dpo", {**TRL, "max_length": 256}),
    "dpo, full": ("llama", sft(2, 256, **FUSED, **SHORT), "dpo full", "full", "dpo", {**TRL, "max_length": 256}),
    "reward": ("llama, deeper", sft(2, 256, **FUSED, **SHORT), "reward lora", "lora", "reward", {**TRL, "max_length": 256}),
    "grpo": (
        "llama, deeper", sft(4, 256, **FUSED, **SHORT), "grpo lora", "lora", "grpo",
        {**TRL, "max_length": 256, "per_device_train_batch_size": 4},
    ),
}  # fmt: skip


@cache
def tracked() -> dict[str, int]:
    jobs = [
        {"name": name, "model": model, "options": options, "method": method}
        for name, (model, options, method, *_) in CASES.items()
    ]
    command = [ROOT / ".venv-training" / "bin" / "python", Path(__file__).with_name("own_trainer.py")]
    path = os.pathsep.join(str(ROOT / name) for name in ("", "training_code"))
    done = subprocess.run(
        command,
        input=json.dumps({"configs": CONFIGS, "jobs": jobs}),
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return dict(json.loads(done.stdout))


def modelled(name: str) -> MemoryEstimate:
    model, _, _, method, objective, settings = CASES[name]
    chosen: dict[str, Any] = {
        "trainer": TUNESTACK, "per_device_train_batch_size": 2, "max_length": 512, "optimizer": "adamw_fused", **settings,
    }  # fmt: skip
    kind: Any = objective
    return objective_memory(from_config(CONFIGS[model], name=model), job_of_method(method, **chosen), kind)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", CASES)
def test_a_step_of_this_kits_trainer_peaks_where_the_model_says(name: str) -> None:
    found = modelled(name)
    without_workspace = found.allocated_bytes - found.components()["cuBLAS workspace"]
    assert without_workspace == pytest.approx(tracked()[name], rel=0.05)
