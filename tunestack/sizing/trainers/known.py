"""The trainers that are known: each is its libraries, and what it does itself. An entry holds from its month on.

A citation is `repository@version:file`, with the symbol. Months are those of the releases.
"""

from dataclasses import replace

from tunestack.sizing.kinds import Sharding
from tunestack.sizing.trainers.libraries import (
    ACCELERATE,
    BITSANDBYTES,
    PEFT,
    SDPA,
    TRANSFORMERS,
    TRANSFORMERS_MODELS,
    change,
    history,
)
from tunestack.sizing.trainers.trainer import Trainer

_HUGGING_FACE = (TRANSFORMERS, TRANSFORMERS_MODELS, SDPA, BITSANDBYTES, PEFT, ACCELERATE)
_BY_DEEPSPEED: frozenset[Sharding] = frozenset({"ddp", "zero1", "zero2", "zero3"})

# transformers' Trainer, and what was built on it.
_OF_THE_TRAINER = (
    change("2023-01", pads_batches=True, checkpointing="full"),
    # axolotl turns norms and embeddings back to 16 bit for flash attention, ms-swift and LLaMA-Factory never upcast them.
    change("2024-10", "axolotl-ai-cloud/axolotl@v0.8.0:utils/models.py convert_embedding_modules_dtype",
           upcasts_unquantized=False),
)  # fmt: skip
_TRAINER_2023 = history("hf_trainer_2023", *_HUGGING_FACE, own=_OF_THE_TRAINER, until="2024-01")
_TRAINER = history("hf_trainer", *_HUGGING_FACE, own=_OF_THE_TRAINER, since="2024-01")

# The same Trainer, by the name of what shards; a loop of one's own has the model's facts alone.
_ACCELERATE = tuple(replace(entry, name="fsdp_accelerate", shardings=frozenset({"fsdp"})) for entry in _TRAINER)
_DEEPSPEED = tuple(
    replace(entry, name="deepspeed", fp32_under_fsdp=False, fsdp2=False, shardings=_BY_DEEPSPEED) for entry in _TRAINER
)

# TRL's SFTTrainer is a Trainer; until 0.26 it prepared quantised models as PEFT does.
_TRL = history(
    "trl", *_HUGGING_FACE,
    own=(
        change("2023-01", "huggingface/trl@v0.25.1:trainer/sft_trainer.py:697 prepare_peft_model; gone in 0.26.0",
               pads_batches=True, checkpointing="full", upcasts_unquantized=True),
        change("2025-12", "huggingface/trl@v0.26.0:trainer/sft_trainer.py:718 QLoRA adapters: bf16",
               upcasts_unquantized=False, fp32_adapters_on_quantized=False),
        change("2026-07", "huggingface/trl@v1.16.0:kernels/chunked_logprob.py:299, trainer/utils.py:1548 add_fused_lm_head",
               loss="tiled", lora_dropout=0.0),
    ),
)  # fmt: skip
# What this kit's images run: TRL as it is locked, and adapters that are fp32 all along (training_code's train.py).
TUNESTACK = replace(
    _TRL[-1],
    name="tunestack",
    sources=(*_TRL[-1].sources, "training_code/tunestack_training/train.py: adapters to float32"),
    fp32_adapters_on_quantized=True,
)


def _as_of(month: str) -> Trainer:
    """The Trainer of a month, which others were built on and stayed with."""
    return [entry for entry in _TRAINER if entry.since <= month][-1]


_XTUNER = replace(
    _as_of("2024-01"),
    name="xtuner",
    since="2023-08",
    sources=(
        *_as_of("2024-01").sources,
        "InternLM/xtuner@v0.1.23:model/sft.py:77, configs/…_qlora_alpaca_e3.py",
        "InternLM/xtuner@v0.1.23:xtuner/engine/_strategy/deepspeed.py, model/dpo.py, orpo.py, reward.py",
    ),
    methods=frozenset({"full", "lora"}),
    objectives=frozenset({"sft", "dpo", "simpo", "reward"}),
    shardings=_BY_DEEPSPEED,
    pads_batches=False,
    lora_dropout=0.1,
)
_OPENRLHF = replace(
    _as_of("2024-07"),
    name="openrlhf",
    since="2023-08",
    sources=(
        "OpenRLHF/OpenRLHF@v0.8.5:models/actor.py:161 logits to fp32",
        "OpenRLHF/OpenRLHF@v0.8.5:openrlhf/cli/train_*.py, --zero_stage",
        *(source for change in PEFT for source in change.sources),
    ),
    methods=frozenset({"full", "lora"}),
    objectives=frozenset({"sft", "dpo", "reward", "ppo", "grpo"}),
    shardings=_BY_DEEPSPEED,
    upcasts_unquantized=False,
    fp32_under_fsdp=False,
)
_UNSLOTH = history(
    "unsloth",
    own=(
        change(
            "2023-12",
            "unslothai/unsloth-zoo@ce232d6:gradient_checkpointing.py:259 inputs to the host",
            "unslothai/unsloth-zoo@ce232d6:training_utils.py:383 adapters to fp32, peft_utils.py:35 head as it is",
            "unslothai/unsloth-zoo@ce232d6:__init__.py:274 expandable_segments",
            "unslothai/unsloth@015bdef:kernels/swiglu.py _DWf_DW_dfg_kernel: gradients over the kept tensors",
            methods=frozenset({"full", "lora"}),
            shardings=frozenset({"ddp", "layers"}),
            fp32_loss=False,
            holds_logits=True,
            fuses_layers=True,
            in_place_gradients=True,
            fixed_blocks=True,
            pads_batches=True,
            checkpointing="offload",
            optimizer="adamw_8bit",
            lora_dropout=0.0,
        ),
        change("2024-11", "unslothai/unsloth@fa8e59eb1b: fused linear cross-entropy", loss="fused"),
    ),
)
_LITGPT = history(
    "litgpt",
    own=(
        change(
            "2023-04",
            "Lightning-AI/litgpt@v0.5.11:litgpt/model.py:175, utils.py:309 chunks of 16-bit logits, a 16-bit loss",
            "Lightning-AI/litgpt@v0.5.11:litgpt/finetune/lora.py:57,148 dropout, every nn.Linear is quantised",
            "Lightning-AI/litgpt@v0.5.11:litgpt/generate/tp.py tensor_parallel: attention and MLP alone",
            "Lightning-AI/litgpt@v0.5.11:litgpt/finetune/lora.py:64 global_batch_size 16, micro_batch_size 1",
            "Lightning-AI/litgpt@v0.5.11:litgpt/finetune/full.py:107 FSDPStrategy; one script for each method",
            own_classes=True,
            methods=frozenset({"full", "lora", "adapter"}),
            objectives=frozenset({"sft"}),
            shardings=frozenset({"fsdp"}),
            loss="chunked",
            fp32_loss=False,
            holds_logits=True,
            chunked_bytes_per_logit=8,
            fp32_adapters=False,
            fp32_adapters_on_quantized=False,
            quantizes_head=True,
            experts_are_modules=True,
            unties_head=True,
            gradient_accumulation_steps=16,
            divides_embeddings=False,
        ),
        change("2023-04", *BITSANDBYTES[1].sources, quantized_inputs="fp32"),
        change("2023-04", "Lightning-AI/litgpt@v0.4.0:litgpt/utils.py load_checkpoint: fabric.load_raw of the whole file",
               adapters_share_units=True, loads_whole=frozenset({"full", "lora", "adapter"})),
        change("2024-08", *BITSANDBYTES[2].sources, quantized_inputs=None),
        change("2025-08", "Lightning-AI/litgpt@v0.5.11:litgpt/finetune/lora.py:157 ModelParallelStrategy (FSDP2), "
               "utils.py:393 by share",
               fsdp2=True, adapters_share_units=False, loads_whole=frozenset({"full", "adapter"})),
    ),
)  # fmt: skip
_TORCHTUNE = history(
    "torchtune",
    own=(
        change(
            "2024-03",
            "pytorch/torchtune@v0.2.1:recipes/configs/llama3_1/8B_lora_single_device.yaml",
            "pytorch/torchtune@v0.6.1:recipes/lora_finetune_single_device.py:431 adapters in the model's type",
            "pytorch/torchtune@v0.6.1:torchtune/training/_distributed.py:519 FSDP2: layers, then the root",
            "pytorch/torchtune@v0.6.1:recipes/*.py: a recipe for each objective and method; optimizer_in_bwd",
            own_classes=True,
            methods=frozenset({"full", "lora", "dora"}),
            objectives=frozenset({"sft", "dpo", "ppo", "grpo"}),
            shardings=frozenset({"fsdp", "tensor"}),
            fsdp2=True,
            checkpoints_selectively=True,
            steps_in_backward=True,
            fp32_adapters=False,
            fp32_adapters_on_quantized=False,
            checkpointing="full",
            optimizer="adamw_fused",
            lora_dropout=0.0,
        ),
        # Its published figures are with torch.compile, which its configurations leave off.
        change(
            "2024-09",
            "pytorch/torchtune@v0.6.1:torchtune/modules/loss/ce_chunked_output_loss.py, modules/transformer.py:497",
            "pytorch/torchtune@v0.6.1:torchtune/training/_compile.py layers, and compute_cross_entropy",
            "pytorch/torchtune@v0.6.1:recipes/configs/llama3_1/8B_full.yaml:76 custom_sharded_layers",
            loss="chunked",
            chunked_bytes_per_logit=6.5,
            compiles_chunked_loss=True,
            fuses_layers=True,
            wraps_root=True,
        ),
        change(
            "2025-06", "pytorch/torchtune@9d91fe39f:torchtune/__init__.py:16 expandable_segments", fixed_blocks=True
        ),
    ),
)
_TORCHTITAN = history(
    "torchtitan",
    own=(
        change(
            "2024-04",
            "pytorch/torchtitan@e10cb9494: .float() in the loss; e8977b007: the loss isn't compiled",
            "pytorch/torchtitan@e846b6946: train_configs/llama3_8b.toml selective, op",
            "pytorch/torchtitan@a5e57e4a9: expandable_segments; @v0.1.0:config_manager.py:139 fused",
            "pytorch/pytorch@v2.13.0:torch/distributed/fsdp/_fully_shard/_fsdp_collectives.py:611 FSDP2",
            own_classes=True,
            fuses_layers=True,
            fixed_blocks=True,
            streams_apart=True,
            methods=frozenset({"full"}),
            objectives=frozenset({"sft"}),
            shardings=frozenset({"ddp", "fsdp", "tensor"}),
            fsdp2=True,
            checkpoints_selectively=True,
            checkpointing="selective",
            optimizer="adamw_fused",
        ),
        change("2025-04", "pytorch/torchtitan@bbb1b616e: the loss is compiled", compiles_plain_loss=True),
        change("2025-04", "pytorch/torchtitan@v0.1.0:torchtitan/components/optimizer.py OptimizersInBackwardContainer",
               steps_in_backward=True),
        change("2025-08", "pytorch/torchtitan@83e694105: embedding and head are units of their own", wraps_root=True),
        change("2026-05", "pytorch/torchtitan@786e26f8e: chunked cross-entropy",
               loss="chunked", compiles_chunked_loss=True),
    ),
)  # fmt: skip
_OF_MEGATRON = (
    change(
        "2021-01",
        "NVIDIA/Megatron-LM@core_v0.14.0:docs/source/api-guide/dist_optimizer.md:10 18 bytes a parameter",
        "NVIDIA/Megatron-LM@core_v0.14.0:megatron/core/tensor_parallel/cross_entropy.py:28,187 fp32 logits, softmax",
        "NVIDIA/Megatron-LM@core_v0.14.0:megatron/core/transformer/transformer_config.py:276 nothing is recomputed",
        own_classes=True,
        fp32_master=True,
        objectives=frozenset({"sft"}),
        shardings=frozenset({"ddp", "zero1", "tensor"}),
        checkpoints_selectively=True,
        fuses_layers=True,
        fp32_adapters=False,
        optimizer="adamw_fused",
        attention="flash",
    ),
)
_MEGATRON = history("megatron", _OF_MEGATRON, own=(change("2021-01", methods=frozenset({"full"})),))
_NEMO = history(
    "nemo", _OF_MEGATRON,
    own=(
        change("2021-01", "NVIDIA/NeMo@v2.4.0:llm/recipes/llama3_8b.py:268 peft_scheme: lora, dora",
               methods=frozenset({"full", "lora", "dora"})),
    ),
)  # fmt: skip

# What answers, and trains nothing.
_GENERATE = history(
    "transformers_generate", TRANSFORMERS_MODELS,
    own=(
        change("2023-01", "huggingface/transformers@v4.44.2:models/llama/modeling_llama.py lm_head of the whole prompt",
               serves=True, logits_of_prompt=True),
        change("2024-10", "huggingface/transformers@v4.45.0:generation/utils.py num_logits_to_keep",
               logits_of_prompt=False),
    ),
)  # fmt: skip
_VLLM = history(
    "vllm",
    own=(
        change("2023-06", "vllm-project/vllm@0012cf691b:vllm/v1/worker/gpu_worker.py determine_available_memory",
               serves=True, takes_its_share=True, attention="flash"),
    ),
)  # fmt: skip

TRAINERS: tuple[Trainer, ...] = (
    *_TRAINER_2023, *_TRAINER, *_ACCELERATE, *_DEEPSPEED, *_TRL, TUNESTACK, _XTUNER, _OPENRLHF, *_UNSLOTH, *_LITGPT,
    *_TORCHTUNE, *_TORCHTITAN, *_MEGATRON, *_NEMO, *_VLLM, *_GENERATE,
)  # fmt: skip
