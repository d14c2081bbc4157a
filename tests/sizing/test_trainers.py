"""Stacks: this kit's is what the locked packages do, each says where its facts are to be read, and names are found."""

import json
import re
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.sizing.jobs import LLAMA_8B, full, job, model, qlora, trainer_with
from tunestack.errors import UserError
from tunestack.sizing.job.ability import why_not
from tunestack.sizing.job.fine_tuning import FineTuning
from tunestack.sizing.job.named_methods import job_of_method
from tunestack.sizing.memory.envelope import envelope
from tunestack.sizing.memory.loss_head import TILE_TOKENS, TILE_VOCABULARY, bytes_per_logit
from tunestack.sizing.memory.objectives import objective_memory
from tunestack.sizing.memory.training_memory import training_memory
from tunestack.sizing.trainers.choice import find_trainer, possible_trainers
from tunestack.sizing.trainers.known import TRAINERS, TUNESTACK
from tunestack.sizing.trainers.trainer import Trainer

GIB = 1024**3


@pytest.mark.slow
def test_every_fact_of_trl_is_what_the_locked_packages_do() -> None:
    command = [ROOT / ".venv-training" / "bin" / "python", Path(__file__).with_name("trl_facts.py")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads(done.stdout.splitlines()[-1])
    trl = find_trainer("trl")
    assert told == {
        "upcasts_logits": trl.upcasts_logits,
        "tiled": trl.loss == "tiled",
        "tile": [TILE_TOKENS, TILE_VOCABULARY],
        "optimizer": {"adamw_fused": "adamw_torch_fused"}[trl.optimizer],
        "checkpointing": trl.checkpointing == "full",
        "pads_batches": trl.pads_batches,
        "lora_dropout": trl.lora_dropout,
        "fp32_adapters": trl.fp32_adapters,
        "fp32_adapters_on_quantized": trl.fp32_adapters_on_quantized,
        "upcasts_unquantized": trl.upcasts_unquantized,
        "fp32_under_fsdp": trl.fp32_under_fsdp,
        "wide_embedding_states": trl.wide_embedding_states,
        "experts_are_modules": trl.experts_are_modules,
        "quantizes_derived": trl.quantizes_derived,
        "passes_groups": trl.passes_groups,
        "adapts_parameters": trl.adapts_parameters,
        "keeps_quantized_inputs": trl.quantized_inputs is not None,
    }


def test_this_kit_differs_from_trl_in_what_its_training_code_changes() -> None:
    own: dict[str, Any] = {"name": "tunestack", "fp32_adapters_on_quantized": True, "sources": TUNESTACK.sources}
    assert replace(find_trainer("trl"), **own) == TUNESTACK
    code = (ROOT / "training_code" / "tunestack_training" / "train.py").read_text()
    assert "parameter.data = parameter.data.float()" in code


@pytest.mark.parametrize("trainer", TRAINERS, ids=lambda trainer: f"{trainer.name}-{trainer.since}")
def test_each_trainer_says_where_its_facts_are_to_be_read(trainer: Trainer) -> None:
    assert trainer.sources and re.fullmatch(r"20\d\d-(0[1-9]|1[0-2])", trainer.since)
    assert all(re.match(r"[\w./-]+@[\w.]+:|training_code/", source) for source in trainer.sources)


def test_the_facts_of_a_month_are_those_that_held_then() -> None:
    assert find_trainer("hf_trainer", month="2024-09").upcasts_logits
    assert not find_trainer("hf_trainer", month="2024-10").upcasts_logits
    assert find_trainer("trl").loss == "tiled" and find_trainer("trl", month="2025-09").loss == "plain"
    # Before the first entry, the first.
    assert find_trainer("torchtune", month="2020-01").since == "2024-03"
    with pytest.raises(UserError, match="no trainer 'torchtone'; did you mean 'torchtune'"):
        find_trainer("torchtone")


def test_those_that_cannot_have_run_a_job_are_no_candidates() -> None:
    able = {
        trainer.name
        for trainer in possible_trainers(month="2025-06")
        if not why_not(job_of_method("qlora", trainer=trainer))
    }
    assert {"trl", "torchtune", "unsloth"} <= able and not able & {"torchtitan", "megatron", "vllm"}
    chunked = possible_trainers(month="2025-06", loss="chunked")
    assert {trainer.name for trainer in chunked} == {"litgpt", "torchtune"}
    assert {trainer.name for trainer in possible_trainers(serves=True)} == {"vllm", "transformers_generate"}


@pytest.mark.parametrize(
    ("trainer", "asked", "reason"),
    [
        ("torchtitan", {"method": "lora"}, "has no method lora, only full"),
        ("litgpt", {"method": "full", "gpus": 8, "sharding": "zero3"}, "has no sharding zero3, only fsdp"),
        ("hf_trainer", {"method": "full", "checkpointing": "selective"}, "has no selective checkpointing"),
        ("trl", {"method": "full", "optimizer_in_backward": True}, "has no adamw that steps in the backward pass"),
        ("hf_trainer", {"method": "lora", "loss": "tiled"}, "has no tiled loss: that is TRL's"),
        ("torchtune", {"method": "full", "optimizer_in_backward": True}, None),
        ("hf_trainer", {"method": "full", "optimizer_in_backward": True, "optimizer": "galore"}, None),
        (
            "unsloth",
            {"method": "lora", "sharding": "fsdp", "cpu_offload": True},
            "has no sharding fsdp, only ddp, layers",
        ),
        # On one GPU, nothing is spread.
        ("unsloth", {"method": "lora", "sharding": "fsdp"}, None),
    ],
)
def test_a_trainer_says_what_it_cannot_run(trainer: str, asked: dict[str, object], reason: str | None) -> None:
    assert why_not(job(**{"trainer": find_trainer(trainer), "loss": "plain", **asked})) == reason


def test_a_trainer_says_which_objectives_it_has() -> None:
    asked = job(trainer=find_trainer("openrlhf"), loss="plain")
    assert why_not(asked, "grpo") is None
    assert why_not(asked, "simpo") == "has no objective simpo, only dpo, grpo, ppo, reward, sft"


@pytest.mark.parametrize(
    ("facts", "loss", "fused", "each"),
    [
        ({"fp32_loss": False, "holds_logits": True}, "plain", False, 8),
        ({}, "plain", False, 12),
        ({"upcasts_logits": True}, "plain", False, 16),
        ({"compiles_plain_loss": True}, "plain", True, 4),
        ({"compiles_plain_loss": True}, "plain", False, 12),
        ({"compiles_chunked_loss": True}, "chunked", True, 2.5),
        ({"chunked_bytes_per_logit": 6.5}, "chunked", False, 6.5),
    ],
)
def test_bytes_of_a_logit_follow_from_facts(facts: dict[str, object], loss: str, fused: bool, each: float) -> None:
    some = job(trainer=trainer_with(**facts), loss=loss, fuses_layers=fused)
    assert bytes_per_logit(LLAMA_8B, some) == each


def _gib(some: FineTuning, *names: str) -> float:
    found = training_memory(LLAMA_8B, some).components()
    return sum(size for name, size in found.items() if name.startswith(names)) / GIB


def test_what_trains_under_fsdp_is_fp32_where_accelerate_prepares_it() -> None:
    spread = full(gpus=8, sharding="fsdp", optimizer="adamw_fused")
    sixteen = replace(spread, trainer=trainer_with(fp32_under_fsdp=False))
    states = ("weights", "gradients", "optimizer states")
    parameters = LLAMA_8B.parameters / 8 / GIB
    fp32 = training_memory(LLAMA_8B, spread).phases[-1].components
    assert sum(part.size_bytes for part in fp32 if part.name.startswith(states)) / GIB == pytest.approx(16 * parameters)
    low = training_memory(LLAMA_8B, sixteen).phases[-1].components
    assert sum(part.size_bytes for part in low if part.name.startswith(states)) / GIB == pytest.approx(8 * parameters)


def test_a_step_in_the_backward_pass_keeps_one_gradient_at_a_time() -> None:
    apart, inside = full(), full(optimizer_in_backward=True)
    last = [training_memory(LLAMA_8B, item).phases[-1] for item in (apart, inside)]
    gradients = [next(part.size_bytes for part in phase.components if part.name == "gradients") for phase in last]
    assert gradients == [2 * LLAMA_8B.parameters, 2 * LLAMA_8B.embedding_parameters]


def test_trained_modules_are_copied_and_have_gradients_and_states() -> None:
    plain, saved = (
        qlora(modules_to_save=names, optimizer="adamw_fused") for names in ((), ("embed_tokens", "lm_head"))
    )
    more = (
        training_memory(LLAMA_8B, saved).phases[-1].size_bytes - training_memory(LLAMA_8B, plain).phases[-1].size_bytes
    )
    # Copy, gradient and two moments of 16 bit, of both.
    assert more == pytest.approx(2 * LLAMA_8B.embedding_parameters * 2 * 4)


def test_fused_layers_and_inputs_on_the_host_keep_less() -> None:
    kept = job(checkpointing="none", loss="tiled", max_length=4096)
    assert _gib(replace(kept, fuses_layers=True), "activations") < 0.85 * _gib(kept, "activations")
    here, away = (
        next(part.size_bytes for part in phase.components if part.name == "checkpoints")
        for kind in ("full", "offload")
        for phase in training_memory(LLAMA_8B, replace(kept, checkpointing=kind)).phases
        if phase.name == "backward of the last layer"
    )
    assert away == pytest.approx(here * 2 / 32)


def test_an_envelope_covers_all_and_gives_a_name_one_voice() -> None:
    lengths = (512, 512, 1024, 2048, 4096)
    found = [training_memory(LLAMA_8B, job(max_length=length)) for length in lengths]
    whole = envelope(found)
    assert whole.device_bytes == found[3].device_bytes
    assert whole.low_bytes == pytest.approx(found[0].low_bytes)
    assert whole.high_bytes == pytest.approx(found[-1].high_bytes)
    # The first one's two are the same; the last one's two are half a voice each.
    assert envelope(found, voices="aabcc").device_bytes == found[2].device_bytes
    assert envelope(found, voices="abcdd").device_bytes == found[2].device_bytes
    assert envelope(found, voices="abbbb").device_bytes == found[0].device_bytes
    assert envelope(found, voices="abbbb", point=3).device_bytes == found[3].device_bytes


def test_experts_were_quantised_and_adapted_while_they_were_modules() -> None:
    def needed(trainer: Trainer, name: str) -> float:
        sized = objective_memory(model(name), job_of_method("qlora", trainer=trainer, max_length=512), "sft")
        return sized.allocated_bytes / GIB

    before, since = find_trainer("hf_trainer", month="2025-06"), find_trainer("hf_trainer")
    # Mixtral's 46.7 billion parameters: 4 bits each then, the experts' 16 bits now.
    assert 23 < needed(before, "mistralai/Mixtral-8x7B-v0.1") < 32 and needed(since, "mistralai/Mixtral-8x7B-v0.1") > 80
    # GPT-OSS' experts were never modules.
    assert needed(before, "openai/gpt-oss-20b") == pytest.approx(needed(since, "openai/gpt-oss-20b"), rel=0.05)
