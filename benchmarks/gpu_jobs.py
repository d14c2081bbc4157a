"""The trainings that `benchmarks.gpu_training` runs: what differs in memory or in speed, and little else."""

import json
from dataclasses import dataclass, field
from typing import Any, Literal

STEPS = 9


@dataclass(frozen=True)
class Job:
    """One training: its recipe's keys as the container gets them."""

    name: str
    model: str
    options: dict[str, Any] = field(default_factory=dict)
    alone: bool = False
    """Nothing else runs beside it: its speed counts."""
    rows: Literal["long", "short", "mixed"] = "long"
    """As long as max_length, an eighth of it, or anything up to it."""
    layers: int | None = None
    """So many layers in place of the preset's."""
    method: str = ""
    """One of `benchmarks.gpu_methods`, in place of this kit's training."""

    def recipe(self) -> dict[str, str]:
        """`section.key` → value, over what every job has."""
        common = {
            "model.name_or_path": "random/weights", "model.revision": "main", "data.name": "random",
            "training.max_steps": STEPS, "training.logging_steps": 1, "training.save_steps": 1000,
            "training.gradient_accumulation_steps": 2, "training.per_device_train_batch_size": 1,
            "training.max_length": 1024,
        }  # fmt: skip
        return {key: _text(value) for key, value in {**common, **self.options}.items()}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def sft(batch: int, length: int, **options: Any) -> dict[str, Any]:
    """A recipe's keys; of `options`, `__` stands for the dot."""
    return {
        "training.per_device_train_batch_size": batch,
        "training.max_length": length,
        **{key.replace("__", "."): value for key, value in options.items()},
    }


LORA = {"quantization__load_in_4bit": False}
KEEP = {"training__gradient_checkpointing": False}
EAGER = {"model__attn_implementation": "eager"}
FUSED = {"training__optim": "adamw_torch_fused"}
MANY = {"training__max_steps": 30}
QWEN_HALF, LLAMA_1B, GEMMA_2B = "Qwen/Qwen2.5-0.5B", "meta-llama/Llama-3.2-1B", "google/gemma-2-2b"
QWEN_7B, LLAMA_8B, MOE = "Qwen/Qwen2.5-7B", "meta-llama/Llama-3.1-8B", "Qwen/Qwen3-30B-A3B"
# The model was corrected by what these took.
FIRST = (
    Job("qlora 8B, 1 × 2048", LLAMA_8B, sft(1, 2048), alone=True),
    Job("qlora 8B, 4 × 2048", LLAMA_8B, sft(4, 2048), alone=True),
    Job("qlora 1B, 4 × 2048", LLAMA_1B, sft(4, 2048), alone=True),
    Job("lora 8B, 2 × 2048", LLAMA_8B, sft(2, 2048, **LORA), alone=True),
    Job("lora 1B, 8 × 1024, nothing recomputed", LLAMA_1B, sft(8, 1024, **LORA, **KEEP), alone=True),
    Job("qlora 8B, 1 × 512", LLAMA_8B, sft(1, 512)),
    Job("qlora 7B, 2 × 4096", QWEN_7B, sft(2, 4096)),
    Job("qlora 7B, 1 × 1024, nothing recomputed", QWEN_7B, sft(1, 1024, **KEEP)),
    Job("lora 7B, 1 × 2048", QWEN_7B, sft(1, 2048, **LORA)),
    Job("qlora 0.5B, 1 × 1024", QWEN_HALF, sft(1, 1024)),
    Job("qlora 0.5B, 8 × 2048", QWEN_HALF, sft(8, 2048)),
    Job("lora 0.5B, 4 × 1024, nothing recomputed", QWEN_HALF, sft(4, 1024, **LORA, **KEEP)),
    Job("qlora 1B, 1 × 8192", LLAMA_1B, sft(1, 8192)),
    Job("qlora 1B, 2 × 2048, nothing recomputed", LLAMA_1B, sft(2, 2048, **KEEP)),
    Job("qlora 1B, 2 × 2048, eager", LLAMA_1B, sft(2, 2048, **EAGER)),
    Job("qlora 1B, 2 × 1024, fp16", LLAMA_1B, sft(2, 1024, quantization__bnb_4bit_compute_dtype="float16")),
    Job("qlora 1B, 2 × 1024, fp32", LLAMA_1B, sft(2, 1024, quantization__bnb_4bit_compute_dtype="float32")),
    Job(
        "qlora 1B, 2 × 2048, paged 8 bit, r 64",
        LLAMA_1B,
        sft(2, 2048, training__optim="paged_adamw_8bit", lora__r=64),
    ),
    Job("qlora 1B, 2 × 2048, dropout, nothing recomputed", LLAMA_1B, sft(2, 2048, lora__lora_dropout=0.05, **KEEP)),
    Job("qlora 1B, 2 × 2048, packed", LLAMA_1B, sft(2, 2048, training__packing=True), rows="short"),
    Job("qlora 1B, 4 × 2048, query and value", LLAMA_1B, sft(4, 2048, lora__target_modules=["q_proj", "v_proj"])),
    Job("qlora 2B, 2 × 2048, Gemma 2", GEMMA_2B, sft(2, 2048, **EAGER)),
    Job("lora 2B, 1 × 1024, Gemma 2, nothing recomputed", GEMMA_2B, sft(1, 1024, **LORA, **KEEP, **EAGER)),
    *(
        Job(f"{method}, 1B, 2 × 1024", LLAMA_1B, sft(2, 1024, **FUSED), method=method)
        for method in (
            "full",
            "full in fp32",
            "lora, trained head",
            "prompt_tuning",
            "dpo lora",
            "dpo full",
            "reward lora",
        )
    ),
    Job("full, 1B, 2 × 1024, unfused", LLAMA_1B, sft(2, 1024, training__optim="adamw_torch"), method="full"),
    Job("full, 1B, 2 × 1024, 8 bit", LLAMA_1B, sft(2, 1024, training__optim="adamw_8bit"), method="full"),
    Job("grpo lora, 1B, 4 × 512", LLAMA_1B, sft(4, 512, training__max_steps=4), method="grpo lora"),
    Job("qlora experts, 1 × 1024, 8 layers", MOE, sft(1, 1024, lora__target_modules=["q_proj", "v_proj"]), layers=8),
)
# What these took was predicted before: other shapes and families, and rows of all lengths.
BLIND = (
    Job("qlora 4B, 2 × 2048, r 8", "Qwen/Qwen3-4B", sft(2, 2048, lora__r=8), alone=True),
    Job("qlora 0.5B, 1 × 1024, alone", QWEN_HALF, sft(1, 1024), alone=True),
    Job("lora 0.5B, 1 × 1024, alone", QWEN_HALF, sft(1, 1024, **LORA), alone=True),
    Job("lora 0.5B, 1 × 1024, nothing recomputed, alone", QWEN_HALF, sft(1, 1024, **LORA, **KEEP), alone=True),
    Job("qlora 3B, 1 × 4096, nothing recomputed", "Qwen/Qwen2.5-3B", sft(1, 4096, **KEEP)),
    Job("qlora 1.7B, 4 × 1024", "HuggingFaceTB/SmolLM2-1.7B-Instruct", sft(4, 1024)),
    Job("lora 4B, 1 × 4096, Phi 3", "microsoft/Phi-3-mini-4k-instruct", sft(1, 4096, **LORA)),
    Job("lora 3B, 2 × 1024, nothing recomputed", "Qwen/Qwen2.5-3B", sft(2, 1024, **LORA, **KEEP)),
    Job("qlora 1B, 4 × 1024, Gemma 3", "google/gemma-3-1b-it", sft(4, 1024)),
    Job("qlora 4B, 1 × 2048, nothing recomputed", "Qwen/Qwen3-4B", sft(1, 2048, **KEEP)),
    Job("qlora 1B, 8 × 2048, rows of all lengths", LLAMA_1B, sft(8, 2048, **MANY), rows="mixed"),
    Job(
        "lora 1B, 4 × 1024, rows of all lengths, nothing recomputed", LLAMA_1B, sft(4, 1024, **LORA, **KEEP, **MANY),
        rows="mixed",
    ),
    Job("qlora 0.5B, 4 × 4096, rows of all lengths", QWEN_HALF, sft(4, 4096, **MANY), rows="mixed"),
    Job("lora 0.5B, 8 × 512, rows of all lengths", QWEN_HALF, sft(8, 512, **LORA, **MANY), rows="mixed"),
    Job("full, 0.5B, 4 × 1024", QWEN_HALF, sft(4, 1024, **FUSED), method="full"),
    Job("dpo lora, 0.5B, 2 × 1024", QWEN_HALF, sft(2, 1024, **FUSED), method="dpo lora"),
)  # fmt: skip
# Predicted before, too, on another card: shapes and families that neither set has, and transformers' own Trainer.
OTHER = (
    Job("qlora 8B, 2 × 2048, Qwen 3", "Qwen/Qwen3-8B", sft(2, 2048)),
    Job("lora 7B, 1 × 4096, Mistral", "mistralai/Mistral-7B-v0.1", sft(1, 4096, **LORA)),
    Job("qlora 1.7B, 2 × 4096, Qwen 3", "Qwen/Qwen3-1.7B", sft(2, 4096)),
    Job("qlora 2.7B, 1 × 2048, Phi 2, nothing recomputed", "microsoft/phi-2", sft(1, 2048, **KEEP)),
    Job("lora 1.4B, 4 × 1024, Pythia", "EleutherAI/pythia-1.4b", sft(4, 1024, **LORA)),
    Job("qlora 7B, 1 × 2048, Falcon", "tiiuae/falcon-7b", sft(1, 2048)),
    Job("qlora 1B, 1 × 16384", LLAMA_1B, sft(1, 16384)),
    Job("lora 0.6B, 16 × 512, nothing recomputed", "Qwen/Qwen3-0.6B", sft(16, 512, **LORA, **KEEP)),
    Job("dpo full, 0.6B, 2 × 512", "Qwen/Qwen3-0.6B", sft(2, 512, **FUSED), method="dpo full"),
    Job("reward lora, 3B, 2 × 1024", "Qwen/Qwen2.5-3B", sft(2, 1024, **FUSED), method="reward lora"),
    Job(
        "full, 1.7B, 2 × 2048",
        "HuggingFaceTB/SmolLM2-1.7B-Instruct",
        sft(2, 2048, **FUSED),
        method="full",
    ),
    Job("trainer lora, 3B, 2 × 1024", "Qwen/Qwen2.5-3B", sft(2, 1024, **FUSED), method="trainer lora"),
    Job("trainer qlora, 8B, 1 × 2048", LLAMA_8B, sft(1, 2048, **FUSED), method="trainer qlora"),
    Job(
        "trainer lora, 1B, 2 × 1024, nothing recomputed",
        LLAMA_1B,
        sft(2, 1024, **FUSED, **KEEP),
        method="trainer lora",
    ),
    Job("trainer full, 1B, 4 × 1024", LLAMA_1B, sft(4, 1024, **FUSED), method="trainer full"),
    Job("grpo lora, 0.6B, 4 × 512", "Qwen/Qwen3-0.6B", sft(4, 512, training__max_steps=4), method="grpo lora"),
)
JOBS = {"first": FIRST, "blind": BLIND, "other": OTHER}
