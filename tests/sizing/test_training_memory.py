"""What must always hold of the memory model, and the textbook cases."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.sizing.jobs import LLAMA_8B, full, job, model, qlora, trainer_with, weights
from tunestack.catalogue.gpus import Gpu, find_gpu
from tunestack.catalogue.models import model_configs
from tunestack.sizing.job.fine_tuning import FineTuning, SizingError
from tunestack.sizing.job.trainable import adapter_parameters, last_layers
from tunestack.sizing.memory import rules_of_thumb
from tunestack.sizing.memory.estimate import MemoryEstimate
from tunestack.sizing.memory.inference_memory import Inference, inference_memory
from tunestack.sizing.memory.training_memory import training_memory
from tunestack.sizing.model.architecture import Architecture
from tunestack.sizing.model.families import from_config


def gpu(name: str) -> Gpu:
    found = find_gpu(name)
    assert found is not None
    return found


A100_40, A10G = gpu("A100-40"), gpu("A10G")
LLAMA_70B = model("meta-llama/Llama-3.1-70B")
# Of those with learned positions, none takes sequences as long as are drawn here.
MODELS = [
    item
    for item in (from_config(config, name=name) for name, config in model_configs().items())
    if not item.position_parameters
]
FROM_3B = [item for item in MODELS if item.parameters >= 3e9]


jobs = st.builds(
    job,
    per_device_train_batch_size=st.integers(1, 16),
    max_length=st.integers(16, 8192),
    r=st.integers(1, 64),
    checkpointing=st.sampled_from(["none", "full", "selective", "offload"]),
    attention=st.sampled_from(["flash", "eager"]),
    loss=st.sampled_from(["plain", "chunked", "fused", "tiled"]),
    gradient_accumulation_steps=st.integers(1, 8),
)


@given(st.sampled_from(MODELS), jobs)
def test_weights_of_qlora_are_at_most_lora_s_and_those_at_most_full_s(
    architecture: Architecture, some: FineTuning
) -> None:
    tuned = [replace(some, quantization="nf4"), some, replace(some, method="full")]
    sizes = [weights(training_memory(architecture, item)) for item in tuned]
    assert sizes == sorted(sizes)


@given(st.sampled_from(FROM_3B), jobs)
def test_from_3b_up_the_peaks_keep_that_order_too(architecture: Architecture, some: FineTuning) -> None:
    # Without checkpointing, thousands of tokens' adapter inputs can outgrow what full fine-tuning keeps in states.
    assume(some.checkpointing == "full" or some.tokens <= 4096)
    tuned = [replace(some, quantization="nf4", double_quant=True), some, replace(some, method="full")]
    peaks = [training_memory(architecture, item).allocated_bytes for item in tuned]
    assert peaks == sorted(peaks)


@given(st.sampled_from(MODELS), jobs, st.sampled_from(["per_device_train_batch_size", "max_length", "r"]))
def test_more_batch_sequence_or_rank_never_needs_less(architecture: Architecture, some: FineTuning, name: str) -> None:
    more = replace(some, **{name: getattr(some, name) * 2})
    assert training_memory(architecture, more).device_bytes >= training_memory(architecture, some).device_bytes


@given(jobs, st.sampled_from(["full", "lora"]))
def test_a_larger_model_of_a_family_never_needs_less(some: FineTuning, method: Any) -> None:
    # Eager attention's scores grow with the heads, of which the 1.5B has fewer than the 0.5B.
    assume(some.attention == "flash")
    sizes = [model(f"Qwen/Qwen2.5-{size}") for size in ("0.5B", "1.5B", "3B", "7B", "14B", "32B", "72B")]
    peaks = [training_memory(item, replace(some, method=method)).device_bytes for item in sizes]
    assert peaks == sorted(peaks)


@given(
    st.sampled_from(MODELS),
    jobs,
    st.sampled_from(["zero1", "zero2", "zero3", "fsdp", "ddp"]),
    st.sampled_from([2, 4, 8, 64]),
)
def test_sharding_never_increases_a_gpu_s_weights(
    architecture: Architecture, some: FineTuning, sharding: Any, gpus: int
) -> None:
    alone = training_memory(architecture, some)
    spread = training_memory(architecture, replace(some, sharding=sharding, gpus=gpus))
    assert weights(spread) <= weights(alone)


@given(st.sampled_from(MODELS), jobs)
def test_the_peak_is_the_largest_phase_and_allocated_reserved_device_are_in_order(
    architecture: Architecture, some: FineTuning
) -> None:
    found = training_memory(architecture, some)
    assert found.allocated_bytes == max(phase.size_bytes for phase in found.phases)
    assert found.allocated_bytes < sum(phase.size_bytes for phase in found.phases)
    assert found.allocated_bytes <= found.reserved_bytes <= found.device_bytes
    assert found.low_bytes <= found.device_bytes <= found.high_bytes
    assert all(component.size_bytes >= 0 for phase in found.phases for component in phase.components)


@settings(max_examples=30)
@given(st.sampled_from(MODELS), st.integers(1, 8), st.integers(16, 8192))
def test_inference_grows_with_batch_and_sequence(architecture: Architecture, batch: int, length: int) -> None:
    small = inference_memory(architecture, Inference(batch=batch, max_length=length))
    assert (
        inference_memory(architecture, Inference(batch=batch + 1, max_length=length)).allocated_bytes
        > small.allocated_bytes
    )
    assert (
        inference_memory(architecture, Inference(batch=batch, max_length=length + 1)).allocated_bytes
        > small.allocated_bytes
    )


def test_the_rules_of_thumb_that_everyone_quotes() -> None:
    assert rules_of_thumb.fp32_inference_gb(1e9) == 4
    assert rules_of_thumb.fp32_inference_gb(70e9) == 280
    assert rules_of_thumb.full_fine_tuning_gb(1e9) == 24


def test_llama_3_70b_in_fp32_is_280_gb_and_fits_eight_a100() -> None:
    found = inference_memory(LLAMA_70B, Inference(weight_dtype="fp32", gpus=8))
    assert LLAMA_70B.parameters * 4 / 1e9 == pytest.approx(282, abs=1)
    assert found.device_bytes < A100_40.usable_bytes
    assert inference_memory(LLAMA_70B, Inference(weight_dtype="fp32", gpus=4)).fits(A100_40.usable_bytes) == "no"


def test_65b_qlora_fits_one_48_gb_gpu() -> None:
    # As in the QLoRA paper: paged AdamW, rank 64 on all linears, checkpointing, short sequences.
    paper = qlora(
        r=64, optimizer="paged_adamw", trainer=trainer_with(fp32_adapters_on_quantized=False), attention="flash"
    )
    assert training_memory(model("huggyllama/llama-65b"), paper).device_bytes < 48e9


@pytest.mark.parametrize("name", ["meta-llama/Llama-2-7b-hf", "meta-llama/Llama-3.1-8B", "google/gemma-2-9b"])
def test_7_to_10b_qlora_fits_one_24_gb_gpu(name: str) -> None:
    assert training_memory(model(name), qlora(attention="flash")).fits(A10G.usable_bytes) == "yes"


def test_full_fine_tuning_in_fp32_is_near_the_rule_s_sixfold() -> None:
    found = training_memory(
        model("TinyLlama/TinyLlama-1.1B-Chat-v1.0"),
        full(weight_dtype="fp32", compute_dtype="fp32", max_length=1024, checkpointing="none"),
    )
    assert 4 < found.allocated_bytes / (1.1e9 * 4) < 7


def test_rank_times_inputs_and_outputs_is_what_an_adapter_has() -> None:
    # Llama-2-7B, rank 8 on q and v: 8 × (4096 + 4096) × 2 × 32 (LoRA paper, table of trainable parameters).
    assert (
        adapter_parameters(model("meta-llama/Llama-2-7b-hf"), job(r=8, target_modules=("q_proj", "v_proj")))
        == 4_194_304
    )


def test_below_3b_qlora_can_need_more_than_lora_and_the_components_say_why() -> None:
    tiny = model("TinyLlama/TinyLlama-1.1B-Chat-v1.0")
    old = trainer_with(fp32_adapters=False, fp32_adapters_on_quantized=False, quantized_inputs="fp32")
    long = {"max_length": 4096, "checkpointing": "none", "trainer": old, "loss": "fused"}
    lora, quantised = training_memory(tiny, job(**long)), training_memory(tiny, qlora(**long))
    assert quantised.allocated_bytes > lora.allocated_bytes
    assert quantised.components()["activations: mlp"] > lora.components()["activations: mlp"]


def test_eager_attention_is_quadratic_in_the_sequence() -> None:
    def scores(length: int) -> float:
        found = training_memory(LLAMA_8B, job(max_length=length, attention="eager", checkpointing="none", loss="fused"))
        return found.components()["activations: scores"]

    assert scores(4096) == 4 * scores(2048)


def test_a_fused_loss_removes_the_logits() -> None:
    plain, fused = (
        training_memory(LLAMA_8B, qlora(per_device_train_batch_size=4)),
        training_memory(LLAMA_8B, qlora(per_device_train_batch_size=4, loss="fused")),
    )
    assert plain.device_bytes - fused.device_bytes > 2e9


def test_prompt_methods_train_few_parameters_and_keep_the_graph() -> None:
    prompt = training_memory(LLAMA_8B, job(method="prompt_tuning", virtual_tokens=20))
    assert prompt.components()["adapter weights"] == 20 * 4096 * 4
    assert prompt.allocated_bytes > LLAMA_8B.parameters * 2


def test_frozen_layers_need_less_than_full() -> None:
    last = training_memory(LLAMA_8B, job(method="frozen", trainable_layers=4))
    assert last.device_bytes < 0.6 * training_memory(LLAMA_8B, full()).device_bytes


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: job(per_device_train_batch_size=0), "per_device_train_batch_size must be from 1 to .*, got 0"),
        (lambda: job(max_length=-1), "max_length must be from 1 to .*, got -1"),
        (lambda: job(r=0), "r must be at least 1, got 0"),
        (lambda: full(cpu_offload=True), "cpu_offload needs sharding zero1, zero2, zero3, fsdp, got 'none'"),
        (lambda: job(tensor_parallel=0), "tensor_parallel must be from 1 to"),
        (lambda: full(quantization="nf4"), "quantised weights can't train"),
        (lambda: job(gpus=3, tensor_parallel=2), r"gpus \(3\) must be a multiple of .* \(2\)"),
        (lambda: training_memory(LLAMA_8B, job(r=5000)), "r 5000 is above the width .* \\(4096\\)"),
        (
            lambda: training_memory(LLAMA_8B, job(target_modules=("qproj",))),
            "target_modules qproj name no linear of .*; it has",
        ),
        (
            lambda: training_memory(LLAMA_8B, job(method="frozen", trainable_layers=33)),
            "trainable_layers must be from 1 to 32",
        ),
    ],
)
def test_a_job_that_cannot_be_is_refused(make: Any, message: str) -> None:
    with pytest.raises(SizingError, match=message):
        make()


def test_bitsandbytes_leaves_experts_in_16_bit() -> None:
    # transformers 5 keeps them as bare parameters, and replaces nn.Linear alone.
    mixtral = model("mistralai/Mixtral-8x7B-v0.1")
    assert weights(training_memory(mixtral, qlora())) > 85e9
    assert weights(training_memory(mixtral, job(quantization="gptq-int4"))) < 27e9


def test_a_sliding_window_bounds_the_kv_cache() -> None:
    gemma = model("google/gemma-3-1b-it")

    def cache(length: int) -> float:
        found = inference_memory(gemma, Inference(max_length=length))
        return next(part.size_bytes for part in found.phases[-1].components if part.name == "KV cache")

    assert cache(131_072) < 0.3 * 131_072 / 1024 * cache(1024)


def test_no_head_s_gradient_where_no_head_trains() -> None:
    tied = model("meta-llama/Llama-3.2-1B")
    assert "gradient of the head" not in _moving(
        training_memory(tied, job(method="frozen", trainable_layers=1, loss="fused"))
    )
    assert "gradient of the head" not in _moving(training_memory(LLAMA_8B, full(loss="score")))
    assert "gradient of the head" in _moving(
        training_memory(LLAMA_8B, full(loss="fused", gradient_accumulation_steps=2))
    )


def _moving(found: MemoryEstimate) -> set[str]:
    return {part.name for phase in found.phases for part in phase.components if part.size_bytes}


@pytest.mark.parametrize("count", range(1, 33))
def test_the_last_layers_of_a_model_of_many_kinds_are_as_many_as_asked(count: int) -> None:
    known = model("meta-llama/Llama-3.1-8B")
    kinds = tuple(replace(known.layers[0], copies=1, mlp_width=1000.0 + index) for index in range(32))
    chosen = last_layers(replace(known, layers=kinds), count)
    assert sum(number for _, number in chosen) == count
    assert all(0 <= number <= layer.copies for layer, number in chosen)
