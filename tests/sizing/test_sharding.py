"""What a GPU holds when a job is spread over several: shares, units gathered whole, whole layers and heads."""

from dataclasses import replace

import pytest

from tests.sizing.jobs import LLAMA_8B, full, job, trainer_with, weights
from tunestack.sizing.job.fine_tuning import SizingError
from tunestack.sizing.memory.states import offloaded_bytes
from tunestack.sizing.memory.training_memory import training_memory


def test_offloaded_weights_still_gather_a_layer() -> None:
    found = training_memory(LLAMA_8B, full(cpu_offload=True, sharding="fsdp"))
    assert found.components()["gathered parameters"] > 1e9


def test_fsdp_keeps_accumulating_gradients_whole_unless_each_batch_is_synced() -> None:
    sixteen_bit = trainer_with(fp32_under_fsdp=False)
    spread = full(sharding="fsdp", gpus=8, gradient_accumulation_steps=4, trainer=sixteen_bit)
    whole = training_memory(LLAMA_8B, spread).components()["gradients"]
    synced = training_memory(LLAMA_8B, replace(spread, sync_each_batch=True)).components()["gradients"]
    assert whole == pytest.approx(8 * synced) == pytest.approx(2 * LLAMA_8B.parameters)
    assert training_memory(LLAMA_8B, replace(spread, sharding="zero3")).components()["gradients"] == synced


def test_adapters_in_fsdp_s_units_cost_the_gradients_of_the_frozen_weights_beside_them() -> None:
    # litgpt issue 1417: two GPUs need the whole model and half of it for a LoRA of a few million parameters.
    apart = job(sharding="fsdp", gpus=2, gradient_accumulation_steps=2)
    together = replace(apart, trainer=trainer_with(adapters_share_units=True))
    more = training_memory(LLAMA_8B, together).allocated_bytes - training_memory(LLAMA_8B, apart).allocated_bytes
    blocks = LLAMA_8B.parameters - LLAMA_8B.embedding_parameters - LLAMA_8B.head_parameters
    assert more == pytest.approx(2 * blocks)


def test_layers_by_gpu_are_whole_layers() -> None:
    by_31 = training_memory(LLAMA_8B, full(sharding="layers", gpus=31))
    by_16 = training_memory(LLAMA_8B, full(sharding="layers", gpus=16))
    assert weights(by_31) == weights(by_16) > 2 * LLAMA_8B.parameters * 2 / 32


def test_adapters_inputs_are_divided_by_tensor_parallelism() -> None:
    alone = job(checkpointing="none", max_length=8192)
    spread = replace(alone, sharding="tensor", gpus=8, tensor_parallel=8)
    name = "activations: adapters"
    found = [training_memory(LLAMA_8B, item).components()[name] for item in (alone, spread)]
    assert found[1] == pytest.approx(found[0] / 8)


def test_deepspeed_keeps_fp32_moments_of_the_fused_kernel_too() -> None:
    plain, fused = (
        training_memory(LLAMA_8B, full(gpus=8, sharding="zero3", optimizer=name)).components()["optimizer states"]
        for name in ("adamw", "adamw_fused")
    )
    assert plain == fused


def test_hybrid_sharding_holds_what_one_machines_gpus_would() -> None:
    spread = full(gpus=16, sharding="fsdp", replicas=2)
    eight, sixteen = (
        training_memory(LLAMA_8B, full(gpus=gpus, sharding="fsdp")).phases[-1].size_bytes for gpus in (8, 16)
    )
    assert training_memory(LLAMA_8B, spread).phases[-1].size_bytes == eight > sixteen
    with pytest.raises(SizingError, match="need sharding 'fsdp', got 'zero3'"):
        full(gpus=16, sharding="zero3", replicas=2)
    with pytest.raises(SizingError, match=r"must be a multiple of context × tensor parallelism × replicas \(3\)"):
        full(gpus=16, sharding="fsdp", replicas=3)


def test_deepspeed_sends_fp32_states_to_the_host_and_by_stage_what_belongs_to_them() -> None:
    sent = {
        kind: offloaded_bytes(LLAMA_8B, full(gpus=8, sharding=kind, cpu_offload=True)) / LLAMA_8B.parameters
        for kind in ("zero1", "zero2", "zero3", "fsdp")
    }
    # Masters and moments; gradients beside them; weights, too. FSDP's are fp32 under accelerate.
    assert sent == pytest.approx({"zero1": 12, "zero2": 16, "zero3": 18, "fsdp": 16})
