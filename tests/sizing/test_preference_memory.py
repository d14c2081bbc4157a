"""Preference methods, serving and merging: what each adds to a fine-tuning, and which phases compete."""

from dataclasses import replace
from typing import Any

import pytest

from tunestack.sizing.job.fine_tuning import FineTuning, SizingError
from tunestack.sizing.job.rollouts import Rollouts
from tunestack.sizing.kinds import Method
from tunestack.sizing.memory.estimate import GIB
from tunestack.sizing.memory.inference_memory import Inference, inference_memory
from tunestack.sizing.memory.preference_memory import dpo_memory, grpo_memory, ppo_memory, reward_memory
from tunestack.sizing.memory.serving_memory import many_adapters, many_copies, package_needs
from tunestack.sizing.memory.training_memory import training_memory
from tunestack.sizing.model.model_source import find_model

LLAMA_8B, SMALL = find_model("meta-llama/Llama-3.1-8B"), find_model("Qwen/Qwen2.5-0.5B")


def job(**chosen: Any) -> FineTuning:
    return FineTuning(**{"method": "lora", "per_device_train_batch_size": 1, "max_length": 1024, **chosen})


def test_dpo_sees_pairs_and_with_adapters_needs_no_second_model() -> None:
    with_reference, without = dpo_memory(LLAMA_8B, job()), dpo_memory(LLAMA_8B, job(), reference=False)
    assert with_reference.allocated_bytes == without.allocated_bytes
    assert without.allocated_bytes == training_memory(LLAMA_8B, job(per_device_train_batch_size=2)).allocated_bytes


def test_full_dpo_has_a_reference_model_and_simpo_none() -> None:
    full = job(method="full")
    dpo, simpo = dpo_memory(LLAMA_8B, full), dpo_memory(LLAMA_8B, full, reference=False)
    assert dpo.allocated_bytes - simpo.allocated_bytes == pytest.approx(LLAMA_8B.parameters * 2)


def test_a_reward_model_has_no_logits() -> None:
    assert reward_memory(SMALL, job()).allocated_bytes < 0.5 * dpo_memory(SMALL, job()).allocated_bytes


def test_full_ppo_has_four_models_of_which_two_train() -> None:
    full = job(method="full")
    alone, ppo = training_memory(SMALL, full), ppo_memory(SMALL, full)
    names = ppo.components()
    assert {"reference model", "reward model", "value model"} <= set(names)
    assert names["value model"] > 3 * names["reward model"]
    assert ppo.allocated_bytes > 2 * alone.allocated_bytes


def test_ppo_with_adapters_adds_only_the_reward_model_that_is_given() -> None:
    assert set(ppo_memory(LLAMA_8B, job(), reward=SMALL).components()) - set(
        training_memory(LLAMA_8B, job()).components()
    ) == {"reward model"}


def test_grpo_takes_the_larger_of_rollout_and_step_never_both() -> None:
    found = grpo_memory(LLAMA_8B, job(), Rollouts(num_generations=64))
    assert found.peak.name == "rollout"
    assert found.allocated_bytes == max(phase.size_bytes for phase in found.phases)


def test_an_engine_takes_its_share_of_the_gpu_and_gives_it_back_where_it_sleeps() -> None:
    alone = training_memory(LLAMA_8B, job(quantization="nf4"))
    share = Rollouts(vllm_gpu_memory_utilization=0.3)
    awake, asleep = (
        grpo_memory(LLAMA_8B, job(quantization="nf4"), item, capacity_bytes=80 * GIB)
        for item in (share, replace(share, vllm_enable_sleep_mode=True))
    )
    assert awake.allocated_bytes == pytest.approx(alone.allocated_bytes + 24 * GIB)
    # It sleeps while the model trains: the larger of the two phases counts.
    assert asleep.peak.name == "rollout" and asleep.allocated_bytes < awake.allocated_bytes
    assert next(phase for phase in asleep.phases if phase.name != "rollout").size_bytes < 24 * GIB
    # AND a slack that is for what moves isn't for a share that doesn't.
    assert awake.reserved_bytes - alone.reserved_bytes == pytest.approx(24 * GIB * 1.01)


def test_an_engine_needs_room_for_the_model_and_an_answer() -> None:
    share = Rollouts(vllm_gpu_memory_utilization=0.3)
    with pytest.raises(
        SizingError, match="30% of 24 GiB leaves an engine no room for the model and an answer of 1,024"
    ):
        grpo_memory(LLAMA_8B, job(), share, capacity_bytes=24 * GIB)
    with pytest.raises(SizingError, match="of which one isn't told"):
        grpo_memory(LLAMA_8B, job(), share)
    # TRL gives it the model's own 4 bits; of 8 it has none.
    assert grpo_memory(LLAMA_8B, job(quantization="nf4"), share, capacity_bytes=24 * GIB)
    with pytest.raises(SizingError, match="no vLLM engine beside a model of 8 bits"):
        grpo_memory(LLAMA_8B, job(quantization="int8"), share, capacity_bytes=80 * GIB)
    # A GPU without bfloat16 trains in fp32, and answers in fp16.
    older = grpo_memory(LLAMA_8B, job().on(has_bfloat16=False), share, capacity_bytes=80 * GIB)
    assert older.peak.name != "rollout" and older.components()["vLLM engine"] == 24 * GIB


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"num_generations": 0}, "num_generations must be from 1"),
        ({"vllm_gpu_memory_utilization": 1.5}, r"must be in \(0, 1\], got 1.5"),
        ({"vllm_enable_sleep_mode": True}, "needs vllm_gpu_memory_utilization"),
    ],
)
def test_rollouts_that_cannot_be_are_refused(asked: dict[str, Any], message: str) -> None:
    with pytest.raises(SizingError, match=message):
        Rollouts(**asked)


def test_grpo_has_a_reference_only_with_beta_and_without_adapters() -> None:
    full, beta = job(method="full"), Rollouts(beta=0.04)
    assert "reference model" in grpo_memory(SMALL, full, beta).components()
    assert "reference model" not in grpo_memory(SMALL, full).components()
    assert "reference model" not in grpo_memory(SMALL, job(), beta).components()


def test_a_rollout_s_whole_weights_are_no_slack_so_that_more_gpus_never_need_more() -> None:
    spread = [
        grpo_memory(LLAMA_8B, job(sharding="fsdp", gpus=gpus, cpu_offload=offload)).device_bytes
        for gpus, offload in ((2, False), (64, False), (64, True))
    ]
    assert spread == sorted(spread, reverse=True)


def test_tensor_parallel_serving_keeps_whole_heads_of_the_cache() -> None:
    def cache(gpus: int) -> float:
        found = inference_memory(LLAMA_8B, Inference(max_length=8192, gpus=gpus, tensor_parallel=True))
        return next(part.size_bytes for part in found.phases[-1].components if part.name == "KV cache")

    assert cache(8) == cache(1) / 8 == cache(32)


def test_many_adapters_on_one_base_are_cheaper_than_many_copies() -> None:
    serving = Inference(max_length=512)
    shared = many_adapters(LLAMA_8B, serving, count=20, rank=16)
    assert shared.device_bytes < 1.3 * inference_memory(LLAMA_8B, serving).device_bytes
    assert many_copies(LLAMA_8B, serving, count=20) > 15 * shared.device_bytes / 1.3


def test_merging_needs_the_fp32_model_in_memory_and_more_on_disk() -> None:
    needs = package_needs(LLAMA_8B)
    assert needs.host_memory_bytes == pytest.approx(LLAMA_8B.parameters * 4 + 5e9)
    assert needs.disk_bytes == pytest.approx(LLAMA_8B.parameters * (2 + 4 + 4))
    assert package_needs(LLAMA_8B, dtype="bf16", archive=False).disk_bytes == LLAMA_8B.parameters * 4


def test_prefix_and_prompt_and_p_tuning_are_sized() -> None:
    methods: tuple[Method, ...] = ("prompt_tuning", "prefix_tuning", "p_tuning")
    for method in methods:
        found = training_memory(LLAMA_8B, replace(job(), method=method, virtual_tokens=20))
        assert LLAMA_8B.parameters * 2 < found.allocated_bytes < LLAMA_8B.parameters * 4


def test_a_reward_model_has_no_head_of_its_own_words() -> None:
    full = job(method="full")
    found = reward_memory(LLAMA_8B, full).phases[-1].components
    trained = next(part.size_bytes for part in found if part.name == "gradients")
    assert trained == 2 * (LLAMA_8B.parameters - LLAMA_8B.embedding_parameters)
