"""A row of measured GPU memory (the columns of `memory.csv`) → the architecture and the job that the model sizes.

Only settings are read: never the row's id, its source, its note or its peak.
"""

import re
from dataclasses import replace

from tunestack.catalogue.models import model_configs
from tunestack.sizing.architecture import Architecture
from tunestack.sizing.estimate import MemoryEstimate
from tunestack.sizing.families import from_config
from tunestack.sizing.fine_tuning import FineTuning
from tunestack.sizing.inference_memory import Inference, inference_memory
from tunestack.sizing.preference_memory import dpo_memory
from tunestack.sizing.training_memory import training_memory

Row = dict[str, str]

_PARALLELISM = {"": "none", "none": "none", "ddp": "ddp", "zero2": "zero2", "zero3": "zero3", "fsdp": "fsdp"}
_OPTIMIZERS = {
    "": "adamw", "adamw": "adamw", "adam": "adamw", "adamw_bf16": "adamw", "adamw_torch": "adamw",
    "adamw_fused": "adamw", "adamw_fp32": "adamw_fp32", "adamw8bit": "adamw_8bit", "adamw4bit": "adamw_4bit",
    "paged_adamw32bit": "paged_adamw", "paged_adamw8bit": "paged_adamw_8bit", "galore_adamw": "galore",
    "galore_adamw8bit": "galore_8bit", "sgd": "sgd",
}  # fmt: skip
_TARGETS = {"q": "q_proj", "k": "k_proj", "v": "v_proj", "o": "o_proj"}


class UnknownSettings(Exception):
    """The row says too little, or of something that the model doesn't know."""


def estimate(row: Row) -> MemoryEstimate:
    """What the model says of a row.

    Raises:
        UnknownSettings: a setting is missing or unknown.
        SizingError: the settings can't be.
    """
    if row["kind"] == "recommendation":
        raise UnknownSettings("a recommendation, not a measurement")
    architecture = _architecture(row)
    if row["method"] == "inference":
        return inference_memory(architecture, _inference(row))
    job = _training(row, architecture)
    if row["method"] in ("dpo", "simpo"):
        return dpo_memory(architecture, job, reference=row["method"] == "dpo")
    return training_memory(architecture, job)


def _architecture(row: Row) -> Architecture:
    """From the row's own columns: a gated MLP or one of two matrices, whichever has the row's parameter count."""
    needed = ("layers", "hidden", "heads", "vocab")
    if missing := [name for name in needed if not row[name]]:
        raise UnknownSettings(f"no {', '.join(missing)}")
    hidden, heads = int(row["hidden"]), int(row["heads"])
    preset = model_configs().get(row["model"])
    if preset and "c_attn" not in row["lora_targets"]:
        known = from_config(preset, name=row["model"])
        if (known.hidden, known.depth, known.vocabulary) == (hidden, int(row["layers"]), int(row["vocab"])):
            return known
    head_dim = int(row["head_dim"] or hidden // heads)
    kv_heads = int(row["kv_heads"] or heads)
    common = {
        "num_hidden_layers": int(row["layers"]), "hidden_size": hidden, "num_attention_heads": heads,
        "num_key_value_heads": kv_heads, "head_dim": head_dim, "vocab_size": int(row["vocab"]),
        "intermediate_size": int(row["intermediate"] or 4 * hidden),
        "tie_word_embeddings": row["tied_embeddings"] == "yes",
    }  # fmt: skip
    gated = from_config({**common, "model_type": "llama"}, name=row["model"])
    if "c_attn" in row["lora_targets"]:
        gated = from_config({**common, "model_type": "phi3"}, name=row["model"])
    plain = from_config({**common, "model_type": "gpt_neox"}, name=row["model"])
    count = float(row["params_b"] or 0) * 1e9
    if not count:
        return gated
    return min((gated, plain), key=lambda found: abs(found.parameters - count))


def _inference(row: Row) -> Inference:
    dtype = _dtype(row)
    return Inference(
        batch=int(row["micro_batch"] or 1),
        sequence_length=int(row["seq_len"] or 128),
        weight_dtype=dtype,
        quantization=row["quant"] or "none",
        double_quant=row["double_quant"] == "yes",
        attention=_attention(row),
        # Rows don't say how the weights got there: the larger of the usual ways.
        quantizes_on_gpu=row["quant"] in ("nf4", "fp4"),
        quantized_head=row["quant"] in ("nf4", "fp4") and row["flash_attention"] == "sdpa",
        logits_of_prompt=not row["flash_attention"],
        gpus=int(row["n_gpus"] or 1),
        tensor_parallel=row["parallelism"] == "tp",
        autocast="mixed" in row["weight_dtype"],
    )


def _training(row: Row, architecture: Architecture) -> FineTuning:
    method, sequence = row["method"], row["seq_len"]
    if not sequence or not row["micro_batch"]:
        raise UnknownSettings("no micro-batch or sequence length")
    batch = int(row["micro_batch"])
    adapts = bool(row["lora_rank"])
    kind = {
        "qlora": "lora",
        "dora": "dora",
        "lora": "lora",
        "full": "full",
        "adapter": "adapter",
        "galore": "full",
    }.get(method)
    if method in ("dpo", "simpo"):
        kind = "lora" if adapts else "full"
    if kind is None:
        raise UnknownSettings(f"method {method!r}")
    optimizer = _OPTIMIZERS.get(row["optimizer"])
    if optimizer is None:
        raise UnknownSettings(f"optimizer {row['optimizer']!r}")
    pure = row["weight_dtype"] in ("bf16", "pure_bf16") and row["fused_ce"] == "chunked"
    job = FineTuning(
        method=kind,
        micro_batch=batch,
        sequence_length=int(sequence),
        weight_dtype=_dtype(row),
        compute_dtype="fp16" if row["weight_dtype"].startswith("fp16") else "bf16",
        quantization=row["quant"] or "none",
        double_quant=row["double_quant"] == "yes",
        # A pure 16-bit loop has 16-bit adapters; PEFT under a Trainer has fp32 ones.
        adapter_dtype="bf16" if pure else "fp32",
        lora_rank=int(row["lora_rank"] or 8),
        lora_targets=_targets(row["lora_targets"]),
        optimizer=optimizer,
        checkpointing={"yes": "full", "selective": "selective", "no": "none", "": "full"}[row["grad_checkpointing"]],
        attention=_attention(row),
        loss=_loss(row),
        # Rows don't say it; most were run before bitsandbytes stopped keeping them.
        quantized_inputs="fp32",
        upcasts_unquantized=_loss(row) == "trainer_2023" and row["quant"] in ("nf4", "fp4", "int8"),
        autocast="mixed" in row["weight_dtype"] and not row["parallelism"].startswith(("fsdp", "zero")),
        # A Trainer pads each batch to its longest row.
        varying_lengths=_loss(row) == "trainer_2023",
        # Rows don't say it: small global batches are accumulated.
        gradient_accumulation=1 if int(row["n_gpus"] or 1) * batch >= 16 else 2,
        gpus=int(row["n_gpus"] or 1),
    )
    return _parallel(row, job)


def _parallel(row: Row, job: FineTuning) -> FineTuning:
    """`fsdp8 cp1 tp8 pp8` → its degrees; `zero3`, `ddp`, … by name."""
    text = row["parallelism"]
    if job.gpus == 1:
        return job
    if "pp" in text.split("(")[0] and not text.startswith("pp"):
        raise UnknownSettings("pipeline parallelism")
    if text.startswith(("mp", "pp")):
        return replace(job, sharding="layers")
    degree = {name: int(number) for name, number in re.findall(r"(fsdp|cp|tp)(\d+)", text) if name != "fsdp"}
    name = re.match(r"[a-z]+[23]?", text)
    kind = "fsdp" if text.startswith("fsdp") else (name.group() if name else "none")
    if kind not in ("ddp", "zero2", "zero3", "fsdp"):
        raise UnknownSettings(f"parallelism {text!r}")
    return replace(
        job, sharding=kind, context_parallel=degree.get("cp", 1), tensor_parallel=degree.get("tp", 1),
        cpu_offload="cpu_offload" in text,
    )  # fmt: skip


def _dtype(row: Row) -> str:
    found = re.match(r"pure_bf16|bf16|fp16|fp32", row["weight_dtype"])
    return {"pure_bf16": "bf16"}.get(found.group(), found.group()) if found else "bf16"


def _attention(row: Row) -> str:
    return {"yes": "flash", "sdpa": "sdpa", "no": "eager", "": "sdpa"}[row["flash_attention"]]


def _loss(row: Row) -> str:
    known = {"chunked": "chunked", "cut_cross_entropy": "fused", "liger": "fused", "": "plain"}
    if row["fused_ce"] in known:
        return known[row["fused_ce"]]
    # Said not to be fused: a Trainer's fp32 logits, unless weights are fp32, as in loops without a Trainer.
    return "plain" if row["weight_dtype"].startswith("fp32") else "trainer_2023"


def _targets(text: str) -> tuple[str, ...]:
    if not text or text.startswith("lora"):
        return ("q_proj", "v_proj")
    if "all-linear" in text:
        return ("all-linear", "lm_head") if "lm_head" in text else ("all-linear",)
    if text.startswith("default"):
        return ("q_proj", "k_proj", "v_proj")
    return tuple(_TARGETS[name] for name in text.split(" ", maxsplit=1)[0].split(","))
