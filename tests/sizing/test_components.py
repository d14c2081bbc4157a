"""Every component, in MiB, of jobs that between them use each one: removing or changing one shows in review."""

from collections.abc import Iterator
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from tunestack.sizing.job.fine_tuning import FineTuning
from tunestack.sizing.memory.estimate import MemoryEstimate
from tunestack.sizing.memory.inference_memory import Inference, inference_memory
from tunestack.sizing.memory.training_memory import training_memory
from tunestack.sizing.model.model_source import find_model
from tunestack.sizing.optimizers import state_bytes
from tunestack.sizing.precision import bytes_per_weight
from tunestack.sizing.trainers.choice import find_trainer

MIB = 1024**2
LLAMA, QWEN3, GEMMA2 = "meta-llama/Llama-3.1-8B", "Qwen/Qwen3-8B", "google/gemma-2-9b"
QLORA = {"quantization": "nf4", "double_quant": True}
FSDP = {"method": "full", "gpus": 8, "sharding": "fsdp"}
JOBS: dict[str, tuple[str, dict[str, Any]]] = {
    "full": (LLAMA, {"method": "full"}),
    "full, accumulated": (LLAMA, {"method": "full", "gradient_accumulation_steps": 4}),
    "full, fp32 masters": (LLAMA, {"method": "full", "trainer": find_trainer("megatron")}),
    "full, autocast": (LLAMA, {"method": "full", "weight_dtype": "fp32"}),
    "last 4 layers": (LLAMA, {"method": "frozen", "trainable_layers": 4}),
    "lora": (LLAMA, {}),
    "lora without checkpointing": (LLAMA, {"checkpointing": "none"}),
    "lora, selective": (LLAMA, {"checkpointing": "selective"}),
    "lora, eager": (LLAMA, {"checkpointing": "none", "attention": "eager"}),
    "dora with the head": (LLAMA, {"method": "dora", "target_modules": ("all-linear", "lm_head")}),
    "qlora": (LLAMA, QLORA),
    "qlora, upcast, old bitsandbytes": (
        LLAMA, {**QLORA, "trainer": find_trainer("hf_trainer_2023"), "checkpointing": "none"},
    ),
    "qlora, paged": (LLAMA, {**QLORA, "optimizer": "paged_adamw_8bit"}),
    "galore": (LLAMA, {"method": "full", "optimizer": "galore"}),
    "prefix tuning": (LLAMA, {"method": "prefix_tuning", "virtual_tokens": 20}),
    "adapters": (LLAMA, {"method": "adapter"}),
    "head norms": (QWEN3, {"checkpointing": "none"}),
    "softcaps": (GEMMA2, {"checkpointing": "none"}),
    "experts": ("Qwen/Qwen3-30B-A3B", {"checkpointing": "none"}),
    "latent attention": ("deepseek-ai/DeepSeek-V2-Lite", {"checkpointing": "none"}),
    "ddp": (LLAMA, {"gpus": 8, "sharding": "ddp"}),
    "zero2": (LLAMA, {**FSDP, "sharding": "zero2"}),
    "zero3": (LLAMA, {**FSDP, "sharding": "zero3"}),
    "fsdp": (LLAMA, FSDP),
    "fsdp, accumulated": (LLAMA, {**FSDP, "gradient_accumulation_steps": 4}),
    "lora in fsdp's units": (
        LLAMA, {**FSDP, "method": "lora", "gradient_accumulation_steps": 4, "trainer": find_trainer("litgpt", month="2025-06")},
    ),
    "fsdp and tensor parallel": (LLAMA, {**FSDP, "tensor_parallel": 2}),
    "fsdp and context parallel": (LLAMA, {**FSDP, "context_parallel": 2}),
    "layers by GPU": (LLAMA, {"gpus": 2, "sharding": "layers"}),
    "offloaded": (LLAMA, {**FSDP, "cpu_offload": True}),
    "fused loss": (LLAMA, {"loss": "fused"}),
    "full, fused loss": (LLAMA, {"method": "full", "loss": "fused", "gradient_accumulation_steps": 4}),
    "chunked loss": (LLAMA, {"loss": "chunked", "trainer": find_trainer("torchtune", month="2024-09")}),
    "trainer of 2023": (LLAMA, {"trainer": find_trainer("hf_trainer_2023"), "varying_lengths": True}),
    "compiled": (LLAMA, {"method": "full", "trainer": find_trainer("torchtitan"), "fuses_layers": True, "checkpointing": "none"}),
    "step in the backward pass": (LLAMA, {"method": "full", "optimizer_in_backward": True}),
    "inputs on the host": (LLAMA, {"checkpointing": "offload"}),
    "trained embedding and head": (LLAMA, {**QLORA, "modules_to_save": ("embed_tokens", "lm_head")}),
    "zero2, offloaded": (LLAMA, {**FSDP, "sharding": "zero2", "cpu_offload": True}),
}  # fmt: skip
SERVING: dict[str, dict[str, Any]] = {
    "bf16": {},
    "nf4 on the GPU": {**QLORA, "quantizes_on_gpu": True, "quantized_head": True},
    "eager, long": {"attention": "eager", "max_length": 4096},
    "logits of the prompt": {"logits_of_prompt": True},
    "autocast": {"weight_dtype": "fp32", "autocast": True},
    "tensor parallel": {"gpus": 4, "tensor_parallel": True},
    "layers by GPU": {"gpus": 4},
    "20 adapters": {"adapters": 20, "adapter_parameters": 41_943_040},
}


class _Table(SingleFileSnapshotExtension):
    _write_mode = WriteMode.TEXT
    file_extension = "txt"


def rows(name: str, found: MemoryEstimate) -> Iterator[str]:
    """A job's components, a row each with its size in each phase, and the totals; in MiB."""
    for part in dict.fromkeys(part.name for phase in found.phases for part in phase.components):
        sizes = [sum(item.size_bytes for item in phase.components if item.name == part) for phase in found.phases]
        if any(sizes):
            cells = [f"{size / MIB:.1f}" if size else "–" for size in sizes]
            yield " | ".join((name, part, *cells))
    totals = {
        kind: getattr(found, f"{kind}_bytes") for kind in ("allocated", "reserved", "device", "low", "high", "paged")
    }
    yield f"{name} | totals | " + " | ".join(f"{kind} {size / MIB:.0f}" for kind, size in totals.items())


def heading(found: MemoryEstimate) -> str:
    return " | ".join(("job", "component", *(phase.name for phase in found.phases)))


def training(name: str) -> MemoryEstimate:
    model, chosen = JOBS[name]
    job = FineTuning(**{"method": "lora", "per_device_train_batch_size": 2, "max_length": 1024, **chosen})
    return training_memory(find_model(model), job)


def serving(name: str) -> MemoryEstimate:
    return inference_memory(find_model(LLAMA), Inference(**{"batch": 4, "max_length": 1024, **SERVING[name]}))


def test_components_are_as_reviewed(snapshot: SnapshotAssertion) -> None:
    lines = [heading(training("full"))]
    lines += [row for name in JOBS for row in rows(name, training(name))]
    lines += ["", heading(serving("bf16"))]
    lines += [row for name in SERVING for row in rows(f"serving, {name}", serving(name))]
    assert "\n".join(lines) + "\n" == snapshot(extension_class=_Table)


@pytest.mark.parametrize(
    ("optimizer", "kept", "step"),
    [
        ("adamw", 4, 2), ("adamw_fp32", 8, 4), ("adamw_8bit", 2.03125, 0), ("adamw_4bit", 1.0625, 0),
        ("paged_adamw", 8, 0), ("paged_adamw_8bit", 2.03125, 0), ("sgd", 0, 0), ("sgd_momentum", 2, 0),
        ("adafactor", 0.01, 0), ("lion", 2, 0), ("lion_8bit", 1.015625, 0), ("galore", 4, 2), ("galore_8bit", 2.03125, 0),
        ("muon", 2, 0),
    ],
)  # fmt: skip
def test_states_of_a_16_bit_parameter(optimizer: Any, kept: float, step: float) -> None:
    found = state_bytes(optimizer, parameter_bytes=2)
    assert (found.kept, found.step, found.paged) == (kept, step, optimizer.startswith("paged"))


@pytest.mark.parametrize(
    ("quantization", "double", "expected"),
    [
        ("none", False, 2), ("nf4", False, 0.5625), ("nf4", True, 0.5 + 0.127 / 8), ("fp4", False, 0.5625),
        ("int8", False, 1), ("fp8", False, 1), ("gptq-int4", False, 0.5195), ("gptq-int8", False, 1.0234),
        ("awq-int4", False, 0.5195), ("int4", False, 0.5195), ("int2", False, 0.2676), ("mxfp4", False, 0.53125),
    ],
)  # fmt: skip
def test_bytes_of_a_weight(quantization: Any, double: bool, expected: float) -> None:
    assert bytes_per_weight(quantization, dtype="bf16", double_quant=double) == pytest.approx(expected, rel=1e-3)
