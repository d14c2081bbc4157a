"""Throughput: what must always hold."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunestack.catalogue.gpus import GPUS, find_gpu
from tunestack.catalogue.models import model_configs
from tunestack.sizing.job.fine_tuning import FineTuning
from tunestack.sizing.model.families import from_config
from tunestack.sizing.speed.throughput import Network, Work, flops_per_token, throughput

LLAMA_8B = Work.of(from_config(model_configs()["meta-llama/Llama-3.1-8B"], name="8B"))


def job(**chosen: Any) -> FineTuning:
    return FineTuning(**{"method": "lora", "per_device_train_batch_size": 4, "max_length": 1024, **chosen})


def test_flops_are_6n_for_full_and_4n_for_frozen_weights_and_attention_s_own() -> None:
    n = LLAMA_8B.parameters
    short = {"max_length": 8, "checkpointing": "none"}
    assert flops_per_token(LLAMA_8B, job(method="full", **short)) == pytest.approx(6 * n, rel=1e-3)
    assert flops_per_token(LLAMA_8B, job(**short)) == pytest.approx(4 * n, rel=1e-3)
    assert flops_per_token(LLAMA_8B, job(checkpointing="full", max_length=8)) == pytest.approx(6 * n, rel=1e-3)


@given(st.sampled_from(GPUS), st.integers(1, 16), st.sampled_from(["none", "full"]))
def test_quantising_checkpointing_and_longer_sequences_never_speed_a_token_up(gpu: Any, batch: int, kept: str) -> None:
    base = throughput(LLAMA_8B, job(per_device_train_batch_size=batch, checkpointing=kept), gpu)
    for slower in ({"quantization": "nf4"}, {"checkpointing": "full"}):
        assert (
            throughput(
                LLAMA_8B, job(per_device_train_batch_size=batch, **{"checkpointing": kept, **slower}), gpu
            ).tokens_per_second
            <= base.tokens_per_second
        )
    assert base.low < base.tokens_per_second < base.high


@given(st.sampled_from(GPUS), st.sampled_from(["fsdp", "ddp", "zero3"]), st.integers(1, 4))
def test_a_slower_network_never_helps(gpu: Any, sharding: str, machines: int) -> None:
    spread = job(method="full", gpus=8 * machines, sharding=sharding)
    rates = [
        throughput(LLAMA_8B, spread, gpu, network=Network(gpus_per_machine=8, gbit_per_s=rate))
        for rate in (10, 100, 3200)
    ]
    assert [item.tokens_per_second for item in rates] == sorted(item.tokens_per_second for item in rates)


def test_an_unknown_gpu_is_none_and_sizes_are_told_apart() -> None:
    assert find_gpu("tpu-v5") is None
    forty, eighty = find_gpu("a100", 40), find_gpu("A100-80")
    assert forty and eighty and (forty.memory_gb, eighty.memory_gb) == (40, 80)
    assert replace(forty, usable_gib=1).usable_bytes == 1024**3


def test_context_parallelism_shares_the_tokens_once() -> None:
    gpu = find_gpu("H100-80")
    assert gpu is not None
    long = {"method": "full", "per_device_train_batch_size": 1, "max_length": 65_536, "gpus": 8, "sharding": "fsdp"}
    rates = [throughput(LLAMA_8B, job(**long, context_parallel=degree), gpu).tokens_per_second for degree in (1, 8)]
    assert rates[1] == pytest.approx(rates[0], rel=0.2)
