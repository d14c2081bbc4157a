"""A row of measured GPU memory (the columns of `memory.csv`) → the architecture and the job that the model sizes.

Only settings are read: never the row's id, its source, its note or its peak.
"""

import re
from dataclasses import replace
from typing import cast

from benchmarks.row_words import (
    ADAPTERS,
    ATTENTION,
    CHECKPOINTING,
    IN_BACKWARD,
    MONTH,
    OBJECTIVES,
    OPTIMIZERS,
    PROMPTS,
    QUANTIZATIONS,
    UnknownSettings,
    billions,
    compute_dtype,
    dtype,
    number,
    said_loss,
    targets,
    trained_dtype,
    trainer_name,
    word,
)  # fmt: skip
from benchmarks.table import Row
from tunestack.catalogue.gpus import usable_bytes
from tunestack.catalogue.models import model_configs
from tunestack.sizing.job.ability import as_built, why_not
from tunestack.sizing.job.fine_tuning import FineTuning
from tunestack.sizing.kinds import AttentionKernel, LossKernel, Method, Sharding
from tunestack.sizing.memory.envelope import envelope
from tunestack.sizing.memory.estimate import MemoryEstimate
from tunestack.sizing.memory.inference_memory import Inference, inference_memory
from tunestack.sizing.memory.objectives import objective_memory
from tunestack.sizing.memory.serving_memory import engine_memory
from tunestack.sizing.model.architecture import Architecture
from tunestack.sizing.model.families import from_config
from tunestack.sizing.optimizers import Optimizer
from tunestack.sizing.trainers.choice import find_trainer, known_names, possible_trainers
from tunestack.sizing.trainers.trainer import Trainer

# Hybrid sharding divides a model among the GPUs of one machine, mostly.
GPUS_OF_A_MACHINE = 8
# Columns that don't give the model's parameter count, as those of a mixture of experts: beyond this share.
UNEXPLAINED = 0.2


def estimate(row: Row) -> MemoryEstimate:
    """What the model says of a row: of each trainer that may have run it, and each value that it leaves open.

    Raises:
        UnknownSettings: a setting is missing or unknown.
        SizingError: the settings can't be.
    """
    if row["kind"] == "recommendation":
        raise UnknownSettings("a recommendation, not a measurement")
    trainers, known = trainers_of(row)
    if row.get("stack", "").startswith("other"):
        # A loop of somebody's own is none of the trainers: it may have the facts of any.
        found = [estimate_under(row, _as_said(row, trainer)) for trainer in trainers]
        return envelope(found, point=0 if known else None)
    named = trainer_name(row.get("stack", "")) in known_names()
    able = [trainer for trainer in trainers if named or _can_have_run(row, trainer)] or list(trainers)
    found = [estimate_under(row, trainer) for trainer in able]
    return envelope(found, voices=[trainer.name for trainer in able], point=0 if known else None)


def trainers_of(row: Row) -> tuple[tuple[Trainer, ...], bool]:
    """The trainers that may have run a row, and whether it says which: then the likeliest is the first."""
    name, date = trainer_name(row.get("stack", "")), MONTH.search(row.get("date", ""))
    month = date.group() if date else None
    if name in known_names():
        if month:
            return (find_trainer(name, month=month),), True
        entries = [trainer for trainer in possible_trainers(serves=find_trainer(name).serves) if trainer.name == name]
        return tuple(reversed(entries)), True
    serves = row["method"] == "inference"
    found = possible_trainers(month=month, serves=serves, loss=said_loss(row))
    # Of what answers, the newest is the likeliest; what trains differs more, and has a middle.
    return (tuple(reversed(found)), True) if serves else (found, False)


def _can_have_run(row: Row, trainer: Trainer) -> bool:
    """Whether a trainer runs what a row says, and in the numbers that the row says of what trains."""
    quantization = word(row, "quant", QUANTIZATIONS, "none")
    built = as_built(_architecture(row, trainer), trainer)
    if quantization != "none" and not built.quantizable_parameters(quantization):
        return False
    if trainer.serves:
        return True
    job = _training(row, trainer)
    if why_not(job, OBJECTIVES.get(row["method"], "sft")):
        return False
    if re.search(r"fsdp2(?! cp| tp)", row["parallelism"]) and job.gpus > 1 and not trainer.fsdp2:
        return False
    said = trained_dtype(row)
    return said is None or said == job.trained_dtype


def _as_said(row: Row, trainer: Trainer) -> Trainer:
    """A trainer as the loop of somebody's own that is like it, and in the numbers that the row says."""
    if (said := trained_dtype(row)) is None:
        return trainer
    wide = said == "fp32"
    return replace(trainer, fp32_adapters=wide, fp32_adapters_on_quantized=wide)


def estimate_under(row: Row, trainer: Trainer) -> MemoryEstimate:
    """What the model says of a row that a trainer ran."""
    architecture = as_built(_architecture(row, trainer), trainer)
    if row["method"] == "inference":
        found = inference_memory(architecture, _inference(row, trainer))
        capacity = usable_bytes(row["gpu_model"]) if trainer.takes_its_share else None
        return engine_memory(found, capacity_bytes=capacity) if capacity else found
    objective = OBJECTIVES.get(row["method"], "sft")
    estimates = [objective_memory(architecture, job, objective) for job in _trainings(row, trainer)]
    return envelope(estimates, point=0)


def _architecture(row: Row, trainer: Trainer) -> Architecture:
    """From the row's own columns: a gated MLP or one of two matrices, whichever has the row's parameter count."""
    needed = ("layers", "hidden", "heads", "vocab")
    if missing := [name for name in needed if not row[name]]:
        raise UnknownSettings(f"no {', '.join(missing)}")
    hidden, heads = number(row, "hidden"), number(row, "heads")
    tied = row["tied_embeddings"] == "yes" and not trainer.unties_head
    preset = model_configs().get(row["model"])
    if preset and "c_attn" not in row["lora_targets"]:
        known = from_config(preset, name=row["model"])
        if (known.hidden, known.depth, known.vocabulary) == (hidden, number(row, "layers"), number(row, "vocab")):
            return replace(known, tied_embeddings=known.tied_embeddings and tied)
    head_dim = number(row, "head_dim", hidden // heads)
    kv_heads = number(row, "kv_heads", heads)
    common = {
        "num_hidden_layers": number(row, "layers"), "hidden_size": hidden, "num_attention_heads": heads,
        "num_key_value_heads": kv_heads, "head_dim": head_dim, "vocab_size": number(row, "vocab"),
        "intermediate_size": number(row, "intermediate", 4 * hidden),
        "tie_word_embeddings": tied,
    }  # fmt: skip
    gated = from_config({**common, "model_type": "llama"}, name=row["model"])
    if "c_attn" in row["lora_targets"]:
        gated = from_config({**common, "model_type": "phi3"}, name=row["model"])
    plain = from_config({**common, "model_type": "gpt_neox"}, name=row["model"])
    count = billions(row) * 1e9
    if not count:
        return gated
    found = min((gated, plain), key=lambda item: abs(item.parameters - count))
    unexplained = count - found.parameters
    if abs(unexplained) <= UNEXPLAINED * count:
        return found
    if unexplained > 0 and row["method"] not in ("full", "galore"):
        # Experts, most likely: there, and frozen.
        return replace(found, tower_parameters=round(unexplained))
    raise UnknownSettings(f"its columns give {found.parameters / 1e9:.1f}B parameters, it has {count / 1e9:.1f}B")


def _inference(row: Row, trainer: Trainer) -> Inference:
    quantized = row["quant"] in ("nf4", "fp4")
    return Inference(
        batch=number(row, "micro_batch", 1),
        max_length=number(row, "seq_len", 128),
        weight_dtype=dtype(row),
        quantization=word(row, "quant", QUANTIZATIONS, "none"),
        double_quant=row["double_quant"] == "yes",
        attention=_attention(row, trainer),
        # Rows don't say how the weights got there: the larger of the usual ways.
        quantizes_on_gpu=quantized,
        quantized_head=quantized and trainer.quantizes_head,
        logits_of_prompt=trainer.logits_of_prompt,
        gpus=number(row, "n_gpus", 1),
        tensor_parallel=row["parallelism"] == "tp",
        divides_embeddings=trainer.divides_embeddings,
        autocast="mixed" in row["weight_dtype"],
    )


def _method(row: Row) -> Method:
    method, adapts = row["method"], bool(row["lora_rank"])
    if method in ("dora", "adapter"):
        return cast(Method, method)
    if method == "qlora" or method in ADAPTERS:
        return "lora"
    if method in ("full", "galore"):
        return "full"
    if method in OBJECTIVES:
        return "lora" if adapts else "full"
    for prompts, found in PROMPTS.items():
        if method.startswith(prompts):
            return cast(Method, found)
    raise UnknownSettings(f"method {method!r}")


def _trainings(row: Row, trainer: Trainer) -> tuple[FineTuning, ...]:
    """The job, and after it those that the row's open cells allow, too."""
    job = _training(row, trainer)
    found = [job]
    if not row["grad_checkpointing"].strip():
        found += [replace(job, checkpointing=kind) for kind in ("none", "full") if kind != job.checkpointing]
    return tuple(found)


def _training(row: Row, trainer: Trainer) -> FineTuning:
    if not row["seq_len"] or not row["micro_batch"]:
        raise UnknownSettings("no micro-batch or sequence length")
    batch, gpus, method = number(row, "micro_batch"), number(row, "n_gpus", 1), _method(row)
    sequence = number(row, "seq_len")
    in_backward = any(word in row["optimizer"] for word in IN_BACKWARD)
    job = FineTuning(
        method=method,
        trainer=trainer,
        per_device_train_batch_size=batch,
        max_length=sequence,
        virtual_tokens=20 if method.endswith("tuning") else 0,
        weight_dtype=dtype(row),
        compute_dtype=compute_dtype(row),
        quantization=word(row, "quant", QUANTIZATIONS, "none"),
        double_quant=row["double_quant"] == "yes",
        r=number(row, "lora_rank", 8),
        target_modules=targets(row["lora_targets"]),
        lora_dropout=trainer.lora_dropout,
        optimizer=_optimizer(row, trainer),
        optimizer_in_backward=in_backward,
        gradient_accumulation_steps=1 if in_backward else trainer.gradient_accumulation_steps,
        checkpointing=word(row, "grad_checkpointing", CHECKPOINTING, trainer.checkpointing),
        attention=_attention(row, trainer),
        loss=_loss(row, trainer),
        # Liger's patch comes with its norms and activations.
        fuses_layers=trainer.fuses_layers or "liger" in row["fused_ce"].lower(),
        varying_lengths=trainer.pads_batches,
        gpus=gpus,
    )
    return _parallel(row, job)


def _optimizer(row: Row, trainer: Trainer) -> Optimizer:
    """Torch's AdamW is the kernel that the trainer takes; `fp32` of its states says of fp32 weights nothing new."""
    found = word(row, "optimizer", OPTIMIZERS, trainer.optimizer)
    fused = "fused" in row["optimizer"] or trainer.optimizer == "adamw_fused"
    torchs = found == "adamw" or (found == "adamw_fp32" and row["weight_dtype"].startswith("fp32"))
    return "adamw_fused" if fused and torchs else found


def _parallel(row: Row, job: FineTuning) -> FineTuning:
    """`fsdp8 cp1 tp8 pp8` → its degrees; `zero3`, `ddp`, … by name."""
    text = re.sub(r"deepspeed|ds[ -]|stage|[ _-](?=\d)", "", row["parallelism"].strip().lower()).strip()
    if job.gpus == 1 and not text.startswith("zero"):
        return replace(job, sharding="fsdp", cpu_offload=True) if "offload" in text else job
    if "pp" in text.split("(")[0] and not text.startswith("pp"):
        raise UnknownSettings("pipeline parallelism")
    if text.startswith(("mp", "pp")):
        return replace(job, sharding="layers")
    if text.startswith("tp"):
        return replace(job, sharding="tensor", tensor_parallel=job.gpus)
    hybrid = text.startswith(("hsdp", "hybrid")) or "hybrid" in text
    text = f"fsdp {text}" if hybrid else text
    degree = {name: int(number) for name, number in re.findall(r"(fsdp|cp|tp)(\d+)", text) if name != "fsdp"}
    name = re.match(r"[a-z]+[123]?", text)
    kind = "fsdp" if text.startswith("fsdp") else (name.group() if name else "none")
    if kind not in ("ddp", "zero1", "zero2", "zero3", "fsdp"):
        raise UnknownSettings(f"parallelism {text!r}")
    return replace(
        job, sharding=cast(Sharding, kind), context_parallel=degree.get("cp", 1), tensor_parallel=degree.get("tp", 1),
        cpu_offload="offload" in text, replicas=max(1, job.gpus // GPUS_OF_A_MACHINE) if hybrid else 1,
    )  # fmt: skip


def _attention(row: Row, trainer: Trainer) -> AttentionKernel:
    # What a trainer took in its time, where the row says the time.
    usual: AttentionKernel = trainer.attention if MONTH.search(row.get("date", "")) else "sdpa"
    return word(row, "flash_attention", ATTENTION, usual)


def _loss(row: Row, trainer: Trainer) -> LossKernel:
    said = said_loss(row)
    if said == "chunked" and trainer.loss == "tiled":
        return "tiled"
    return said or trainer.loss
