"""What transformers' classes do that no count of parameters shows: linears that aren't quantised, attention without a
fused kernel, activation functions of several operators.
"""

import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.sizing.jobs import LLAMA_8B, model, qlora
from tunestack.sizing import FineTuning, find_trainer, objective_memory
from tunestack.sizing.job.ability import as_built
from tunestack.sizing.job.trainable import adapter_parameters
from tunestack.sizing.memory.activations import COMPOSED
from tunestack.sizing.memory.estimate import GIB
from tunestack.sizing.trainers.known import TUNESTACK

FALCON, PHI = model("tiiuae/falcon-7b"), model("microsoft/phi-2")
FUSED = ("silu", "gelu", "gelu_pytorch_tanh", "relu", "relu2")


def parts(architecture: Any, job: FineTuning, prefix: str, *, phase: int = 1) -> float:
    found = objective_memory(architecture, job, "sft")
    return sum(part.size_bytes for part in found.phases[phase].components if part.name.startswith(prefix)) / GIB


@pytest.mark.slow
def test_activation_functions_keep_what_torch_says_that_they_keep() -> None:
    # GPT-OSS' own is no function that transformers knows by a name: tests/sizing/test_kept.py has it.
    composed = {name: kept for name, (kept, _) in COMPOSED.items() if name != "clamped_swiglu"}
    names = [*composed, *FUSED]
    command = [ROOT / ".venv-training" / "bin" / "python", Path(__file__).with_name("kept_by_activations.py")]
    done = subprocess.run(command, input=json.dumps(names), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout) == {**composed, **dict.fromkeys(FUSED, 2)}


def test_linears_of_a_class_of_their_own_stay_16_bit_since_transformers_5() -> None:
    before = qlora(trainer=find_trainer("hf_trainer", month="2025-06"), loss="plain")
    elsewhere = qlora(trainer=find_trainer("litgpt"), loss="plain")
    assert parts(FALCON, qlora(), "weights: unquantised linears") == pytest.approx(12.3, abs=0.2)
    assert parts(FALCON, before, "weights") < 5 and parts(FALCON, elsewhere, "weights") < 5
    assert parts(LLAMA_8B, qlora(), "weights: unquantised linears") == 0


def test_one_head_of_keys_beside_many_of_queries_has_no_fused_kernel_in_transformers() -> None:
    job = qlora(checkpointing="none", max_length=2048)
    # 71 heads × 2,048² scores in fp32, of 32 layers.
    assert parts(FALCON, job, "activations: scores") == pytest.approx(32 * 71 * 2048**2 * 4 / GIB)
    assert parts(as_built(FALCON, find_trainer("litgpt")), job, "activations: scores") == 0
    # Falcon 40B repeats its eight.
    assert parts(model("tiiuae/falcon-40b"), job, "activations: scores") == 0


def test_grouped_keys_need_the_flash_kernel_and_have_scores_without_it() -> None:
    kept = qlora(checkpointing="none", max_length=2048)
    fp32, half = kept.on(has_bfloat16=False), replace(kept, compute_dtype="fp16").on(has_bfloat16=False)
    scores = 32 * 32 * 2048**2 * 4 / GIB
    for before_ampere in (fp32, half):
        assert parts(LLAMA_8B, before_ampere, "activations: scores") == pytest.approx(scores)
    assert parts(LLAMA_8B, kept, "activations: scores") == 0
    # Padded rows have a mask, for which keys are repeated; as many heads of keys as of queries need no repeating.
    padded = replace(fp32, varying_lengths=True, per_device_train_batch_size=2)
    assert parts(LLAMA_8B, padded, "activations: scores") == 0
    assert parts(model("huggyllama/llama-7b"), fp32, "activations: scores") == 0
    # transformers repeated them always until it asked PyTorch to.
    before = replace(fp32, trainer=find_trainer("hf_trainer", month="2025-06"), loss="plain")
    assert parts(LLAMA_8B, before, "activations: scores") == 0


def test_joined_experts_are_adapted_as_parameters_where_peft_maps_them() -> None:
    experts = model("Qwen/Qwen3-30B-A3B")
    adapted, before, none = (
        adapter_parameters(as_built(experts, trainer), job)
        for trainer, job in (
            (TUNESTACK, qlora()),
            (
                find_trainer("hf_trainer", month="2026-02"),
                qlora(trainer=find_trainer("hf_trainer", month="2026-02"), loss="plain"),
            ),
            (TUNESTACK, qlora(target_modules=("q_proj", "v_proj"))),
        )
    )
    # 48 layers × 128 experts: rank 2 × 16 on 2,048 × 1,536, rank 16 on 768 × 2,048; and the router's.
    of_experts = 48 * (128 * (32 * (2048 + 1536) + 16 * (768 + 2048)) + 16 * (2048 + 128))
    assert adapted - before == of_experts and none < before
    # A layer's experts are there once more, changed, and the larger parameter's gradient.
    changed = parts(experts, qlora(checkpointing="full"), "experts being changed", phase=2)
    assert changed == pytest.approx(128 * (2048 * 1536 + 768 * 2048 + 2048 * 1536) * 2 / GIB, rel=0.01)
    assert parts(experts, qlora(target_modules=("q_proj",)), "experts being changed", phase=2) == 0
    # GPT-OSS' experts PEFT doesn't map.
    assert parts(model("openai/gpt-oss-20b"), qlora(), "experts being changed", phase=2) == 0


def test_an_activation_function_of_several_operators_keeps_each_ones_result() -> None:
    job = qlora(checkpointing="none", max_length=2048)
    fused, composed = (parts(phi, job, "activations: mlp") for phi in (as_built(PHI, find_trainer("litgpt")), PHI))
    # Under autocast and with NF4 linears: 16 bytes of each number instead of 2.
    assert composed - fused == pytest.approx(14 * 10240 * 2048 * 32 / GIB)
    # AND the stream is fp32 from then on.
    kept = qlora(checkpointing="full", max_length=2048)
    assert parts(PHI, kept, "checkpoints") == pytest.approx(4 * 2560 * 2048 * 32 / GIB)


def test_a_models_description_is_transformers_5s_and_building_it_again_changes_nothing() -> None:
    for name in ("tunestack", "litgpt", "hf_trainer_2023"):
        trainer = find_trainer(name)
        assert as_built(as_built(FALCON, trainer), trainer) == as_built(FALCON, trainer)
    assert as_built(FALCON, find_trainer("tunestack")) == FALCON
