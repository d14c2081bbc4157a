"""The trainers that are known. Each entry holds from its month on, until the next one of the same name.

A citation is `repository@version:file`, with the symbol. Months are those of the releases.
"""

from dataclasses import replace

from tunestack.sizing.kinds import Sharding
from tunestack.sizing.trainers.trainer import OF_THE_TRAINER, Trainer

_UPCAST = "huggingface/transformers@v4.44.2:models/llama/modeling_llama.py:1209 logits.float()"
_LOSS = "huggingface/transformers@v4.46.0:loss/loss_utils.py ForCausalLMLoss: logits.float(), in the loss alone"
_KBIT = "huggingface/peft@v0.12.0:utils/other.py prepare_model_for_kbit_training: 16-bit parameters become fp32"
_INPUTS = "bitsandbytes@0.43.1:autograd/_functions.py:516 MatMul4Bit saves (A, B); 0.43.2 saves (None, B)"
_ADAPTERS = "huggingface/peft@v0.12.0:peft_model.py:137 autocast_adapter_dtype; before, an adapter follows its linear"
_FSDP = "huggingface/accelerate@v0.30.0:accelerator.py:1525 trainable flat parameters become fp32"
_STATES = "huggingface/transformers@v4.44.2:trainer.py:1111 nn.Embedding gets 32-bit states of 8-bit optimizers"
_SDPA = "huggingface/transformers@v4.36.0:modeling_utils.py _check_and_enable_sdpa"
_MODULES = "huggingface/transformers@v4.44.2:models/mixtral/modeling_mixtral.py MixtralBlockSparseTop2MLP"
_JOINED = "huggingface/transformers@v5.0.0:models/mixtral/modeling_mixtral.py MixtralExperts"
_PARAMETERS = "huggingface/peft@v0.20.0:utils/transformers_weight_conversion.py _MOE_TARGET_MODULE_MAPPING"
_GROUPS = "huggingface/transformers@v4.54.0:integrations/sdpa_attention.py use_gqa_in_sdpa"
_SECOND = "huggingface/accelerate@v1.6.0:utils/dataclasses.py FullyShardedDataParallelPlugin.fsdp_version, tp_plugin"
_DERIVED = "huggingface/transformers@v4.44.2:integrations/bitsandbytes.py:159 isinstance(module, nn.Linear)"
_EXACT = "huggingface/transformers@v5.23.0:integrations/bitsandbytes.py:189 type(module) is nn.Linear"
_FUSED = "huggingface/transformers@v4.54.0:training_args.py:1286 optim: adamw_torch_fused"

# transformers' Trainer and what was built on it in its first years.
_TRAINER_2023 = Trainer(
    name="hf_trainer_2023",
    since="2023-01",
    sources=(_UPCAST, _KBIT, _INPUTS, _STATES, _MODULES, _DERIVED),
    experts_are_modules=True,
    quantizes_derived=True,
    upcasts_logits=True,
    pads_batches=True,
    fp32_adapters=False,
    upcasts_unquantized=True,
    quantized_inputs="fp32",
    wide_embedding_states=True,
    attention="eager",
    checkpointing="full",
)
_TRAINER_SDPA = replace(
    _TRAINER_2023,
    since="2023-12",
    sources=(*_TRAINER_2023.sources, _SDPA),
    attention="sdpa",
)
_TRAINER_2024 = replace(_TRAINER_SDPA, name="hf_trainer", since="2024-01", sources=(_UPCAST, _KBIT, _STATES))
_TRAINER_2024_05 = replace(
    _TRAINER_2024, since="2024-05", sources=(_UPCAST, _KBIT, _STATES, _FSDP), fp32_under_fsdp=True
)
_TRAINER_2024_07 = replace(
    _TRAINER_2024_05,
    since="2024-07",
    sources=(_UPCAST, _KBIT, _STATES, _FSDP, _ADAPTERS, _INPUTS),
    fp32_adapters=True,
    quantized_inputs=None,
)
# axolotl turns norms and embeddings back to 16 bit for flash attention, ms-swift and LLaMA-Factory never upcast them.
_TRAINER_2024_10 = replace(
    _TRAINER_2024_07,
    since="2024-10",
    sources=(
        _LOSS,
        _STATES,
        _FSDP,
        _ADAPTERS,
        "axolotl-ai-cloud/axolotl@v0.8.0:utils/models.py convert_embedding_modules_dtype",
    ),
    upcasts_logits=False,
    upcasts_unquantized=False,
)
_TRAINER_2025 = replace(
    _TRAINER_2024_10,
    since="2025-07",
    sources=(*_TRAINER_2024_10.sources, _FUSED, _SECOND, _GROUPS),
    optimizer="adamw_fused",
    passes_groups=True,
    fsdp2=True,
    shardings=OF_THE_TRAINER | {"tensor"},
)
_TRAINER_2026 = replace(
    _TRAINER_2025,
    since="2026-01",
    sources=(*_TRAINER_2025.sources, _JOINED, _EXACT),
    experts_are_modules=False,
    quantizes_derived=False,
)
_TRAINER_2026_07 = replace(
    _TRAINER_2026, since="2026-07", sources=(*_TRAINER_2026.sources, _PARAMETERS), adapts_parameters=True
)
_TRAINERS = (
    _TRAINER_2024, _TRAINER_2024_05, _TRAINER_2024_07, _TRAINER_2024_10, _TRAINER_2025, _TRAINER_2026, _TRAINER_2026_07,
)  # fmt: skip

# The same Trainer, by the name of what shards; a loop of one's own has the model's facts alone.
_ACCELERATE = tuple(replace(entry, name="fsdp_accelerate", shardings=frozenset({"fsdp"})) for entry in _TRAINERS)
_BY_DEEPSPEED: frozenset[Sharding] = frozenset({"ddp", "zero1", "zero2", "zero3"})
_DEEPSPEED = tuple(
    replace(entry, name="deepspeed", fp32_under_fsdp=False, fsdp2=False, shardings=_BY_DEEPSPEED) for entry in _TRAINERS
)

# TRL's SFTTrainer is a Trainer; until 0.26 it prepared quantised models as PEFT does.
_KBIT_OF_TRL = "huggingface/trl@v0.25.1:trainer/sft_trainer.py:697 prepare_peft_model; gone in 0.26.0"
_TRL_2023 = replace(_TRAINER_2023, name="trl")
_TRL_SDPA = replace(_TRAINER_SDPA, name="trl")
_TRL_2024 = replace(_TRAINER_2024_07, name="trl")
_TRL_2024_10 = replace(
    _TRAINER_2024_10, name="trl", sources=(_LOSS, _KBIT_OF_TRL, _ADAPTERS, _STATES, _FSDP), upcasts_unquantized=True
)
_TRL_2025 = replace(
    _TRL_2024_10,
    since="2025-07",
    sources=(*_TRL_2024_10.sources, _FUSED, _SECOND, _GROUPS),
    optimizer="adamw_fused",
    passes_groups=True,
    fsdp2=True,
    shardings=_TRAINER_2025.shardings,
)
_TRL_2025_12 = replace(
    _TRL_2025,
    since="2025-12",
    sources=(_LOSS, _FUSED, _STATES, _FSDP, "huggingface/trl@v0.26.0:trainer/sft_trainer.py:718 QLoRA adapters: bf16"),
    upcasts_unquantized=False,
    fp32_adapters_on_quantized=False,
)
_TRL_2026 = replace(
    _TRL_2025_12,
    since="2026-01",
    sources=(*_TRL_2025_12.sources, _JOINED, _EXACT),
    experts_are_modules=False,
    quantizes_derived=False,
)
_TRL_TILED = replace(
    _TRL_2026,
    since="2026-07",
    sources=(
        *_TRL_2026.sources,
        "huggingface/trl@v1.16.0:kernels/chunked_logprob.py:299, trainer/utils.py:1548 add_fused_lm_head",
        _PARAMETERS,
    ),
    loss="tiled",
    lora_dropout=0.0,
    adapts_parameters=True,
)
# What this kit's images run: TRL as it is locked, and adapters that are fp32 all along (training_code's train.py).
TUNESTACK = replace(
    _TRL_TILED,
    name="tunestack",
    sources=(*_TRL_TILED.sources, "training_code/tunestack_training/train.py: adapters to float32"),
    fp32_adapters_on_quantized=True,
)

_XTUNER = replace(
    _TRAINER_2024,
    name="xtuner",
    since="2023-08",
    sources=(
        _UPCAST,
        _KBIT,
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
    _TRAINER_2024_07,
    name="openrlhf",
    since="2023-08",
    sources=(
        "OpenRLHF/OpenRLHF@v0.8.5:models/actor.py:161 logits to fp32",
        "OpenRLHF/OpenRLHF@v0.8.5:openrlhf/cli/train_*.py, --zero_stage",
        _ADAPTERS,
    ),
    methods=frozenset({"full", "lora"}),
    objectives=frozenset({"sft", "dpo", "reward", "ppo", "grpo"}),
    shardings=_BY_DEEPSPEED,
    upcasts_unquantized=False,
    fp32_under_fsdp=False,
)
_UNSLOTH = Trainer(
    name="unsloth",
    since="2023-12",
    sources=(
        "unslothai/unsloth-zoo@ce232d6:gradient_checkpointing.py:259 inputs to the host",
        "unslothai/unsloth-zoo@ce232d6:training_utils.py:383 adapters to fp32, peft_utils.py:35 head as it is",
        "unslothai/unsloth-zoo@ce232d6:__init__.py:274 expandable_segments",
        "unslothai/unsloth@015bdef:kernels/swiglu.py _DWf_DW_dfg_kernel: gradients over the kept tensors",
    ),
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
)
_UNSLOTH_FUSED = replace(
    _UNSLOTH,
    since="2024-11",
    sources=(*_UNSLOTH.sources, "unslothai/unsloth@fa8e59eb1b: fused linear cross-entropy"),
    loss="fused",
)

_LITGPT = Trainer(
    name="litgpt",
    own_classes=True,
    since="2023-04",
    sources=(
        "Lightning-AI/litgpt@v0.5.11:litgpt/model.py:175, utils.py:309 chunks of 16-bit logits, a 16-bit loss",
        "Lightning-AI/litgpt@v0.5.11:litgpt/finetune/lora.py:57,148 dropout, every nn.Linear is quantised",
        "Lightning-AI/litgpt@v0.4.0:litgpt/utils.py load_checkpoint: fabric.load_raw of the whole file",
        "Lightning-AI/litgpt@v0.5.11:litgpt/generate/tp.py tensor_parallel: attention and MLP alone",
        "Lightning-AI/litgpt@v0.5.11:litgpt/finetune/lora.py:64 global_batch_size 16, micro_batch_size 1",
        "Lightning-AI/litgpt@v0.5.11:litgpt/finetune/full.py:107 FSDPStrategy; one script for each method",
        _INPUTS,
    ),
    methods=frozenset({"full", "lora", "adapter"}),
    objectives=frozenset({"sft"}),
    shardings=frozenset({"fsdp"}),
    loss="chunked",
    fp32_loss=False,
    holds_logits=True,
    chunked_bytes_per_logit=8,
    fp32_adapters=False,
    fp32_adapters_on_quantized=False,
    quantized_inputs="fp32",
    quantizes_head=True,
    experts_are_modules=True,
    unties_head=True,
    adapters_share_units=True,
    loads_whole=frozenset({"full", "lora", "adapter"}),
    gradient_accumulation_steps=16,
    divides_embeddings=False,
)
_LITGPT_2024_08 = replace(_LITGPT, since="2024-08", quantized_inputs=None)
_LITGPT_2025_08 = replace(
    _LITGPT_2024_08,
    since="2025-08",
    sources=(
        *_LITGPT.sources,
        "Lightning-AI/litgpt@v0.5.11:litgpt/finetune/lora.py:157 ModelParallelStrategy (FSDP2), utils.py:393 by share",
    ),
    fsdp2=True,
    adapters_share_units=False,
    loads_whole=frozenset({"full", "adapter"}),
)

_TORCHTUNE = Trainer(
    name="torchtune",
    own_classes=True,
    since="2024-03",
    sources=(
        "pytorch/torchtune@v0.2.1:recipes/configs/llama3_1/8B_lora_single_device.yaml",
        "pytorch/torchtune@v0.6.1:recipes/lora_finetune_single_device.py:431 adapters in the model's type",
        "pytorch/torchtune@v0.6.1:torchtune/training/_distributed.py:519 FSDP2: layers, then the root",
        "pytorch/torchtune@v0.6.1:recipes/*.py: a recipe for each objective and method; optimizer_in_bwd",
    ),
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
)
# Its published figures are with torch.compile, which its configurations leave off.
_TORCHTUNE_CHUNKED = replace(
    _TORCHTUNE,
    since="2024-09",
    sources=(
        *_TORCHTUNE.sources,
        "pytorch/torchtune@v0.6.1:torchtune/modules/loss/ce_chunked_output_loss.py, modules/transformer.py:497",
        "pytorch/torchtune@v0.6.1:torchtune/training/_compile.py layers, and compute_cross_entropy",
        "pytorch/torchtune@v0.6.1:recipes/configs/llama3_1/8B_full.yaml:76 custom_sharded_layers",
    ),
    loss="chunked",
    chunked_bytes_per_logit=6.5,
    compiles_chunked_loss=True,
    fuses_layers=True,
    wraps_root=True,
)
_TORCHTUNE_2025 = replace(
    _TORCHTUNE_CHUNKED,
    since="2025-06",
    sources=(*_TORCHTUNE_CHUNKED.sources, "pytorch/torchtune@9d91fe39f:torchtune/__init__.py:16 expandable_segments"),
    fixed_blocks=True,
)

_TORCHTITAN = Trainer(
    name="torchtitan",
    own_classes=True,
    since="2024-04",
    sources=(
        "pytorch/torchtitan@e10cb9494: .float() in the loss; e8977b007: the loss isn't compiled",
        "pytorch/torchtitan@e846b6946: train_configs/llama3_8b.toml selective, op",
        "pytorch/torchtitan@a5e57e4a9: expandable_segments; @v0.1.0:config_manager.py:139 fused",
        "pytorch/pytorch@v2.13.0:torch/distributed/fsdp/_fully_shard/_fsdp_collectives.py:611 FSDP2",
    ),
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
)
_TORCHTITAN_2025 = replace(
    _TORCHTITAN,
    since="2025-04",
    sources=(
        *_TORCHTITAN.sources,
        "pytorch/torchtitan@bbb1b616e: the loss is compiled",
        "pytorch/torchtitan@v0.1.0:torchtitan/components/optimizer.py OptimizersInBackwardContainer",
    ),
    compiles_plain_loss=True,
    steps_in_backward=True,
)
_TORCHTITAN_UNITS = replace(
    _TORCHTITAN_2025,
    since="2025-08",
    sources=(*_TORCHTITAN_2025.sources, "pytorch/torchtitan@83e694105: embedding and head are units of their own"),
    wraps_root=True,
)
_TORCHTITAN_CHUNKED = replace(
    _TORCHTITAN_UNITS,
    since="2026-05",
    sources=(*_TORCHTITAN_UNITS.sources, "pytorch/torchtitan@786e26f8e: chunked cross-entropy"),
    loss="chunked",
    compiles_chunked_loss=True,
)

_MEGATRON = Trainer(
    name="megatron",
    own_classes=True,
    since="2021-01",
    sources=(
        "NVIDIA/Megatron-LM@core_v0.14.0:docs/source/api-guide/dist_optimizer.md:10 18 bytes a parameter",
        "NVIDIA/Megatron-LM@core_v0.14.0:megatron/core/tensor_parallel/cross_entropy.py:28,187 fp32 logits, softmax",
        "NVIDIA/Megatron-LM@core_v0.14.0:megatron/core/transformer/transformer_config.py:276 nothing is recomputed",
    ),
    fp32_master=True,
    methods=frozenset({"full"}),
    objectives=frozenset({"sft"}),
    shardings=frozenset({"ddp", "zero1", "tensor"}),
    checkpoints_selectively=True,
    fuses_layers=True,
    fp32_adapters=False,
    optimizer="adamw_fused",
    checkpointing="none",
    attention="flash",
)
_NEMO = replace(
    _MEGATRON,
    name="nemo",
    sources=(*_MEGATRON.sources, "NVIDIA/NeMo@v2.4.0:llm/recipes/llama3_8b.py:268 peft_scheme: lora, dora"),
    methods=frozenset({"full", "lora", "dora"}),
)

_GENERATE_2023 = Trainer(
    name="transformers_generate",
    since="2023-01",
    sources=(
        "huggingface/transformers@v4.44.2:models/llama/modeling_llama.py lm_head of the whole prompt",
        _MODULES,
        _DERIVED,
    ),
    serves=True,
    experts_are_modules=True,
    quantizes_derived=True,
    logits_of_prompt=True,
    attention="eager",
)
_GENERATE_SDPA = replace(_GENERATE_2023, since="2023-12", sources=(*_GENERATE_2023.sources, _SDPA), attention="sdpa")
_GENERATE = replace(
    _GENERATE_SDPA,
    since="2024-10",
    sources=("huggingface/transformers@v4.45.0:generation/utils.py num_logits_to_keep",),
    logits_of_prompt=False,
)
_GENERATE_2026 = replace(
    _GENERATE,
    since="2026-01",
    sources=(*_GENERATE.sources, _JOINED, _EXACT),
    experts_are_modules=False,
    quantizes_derived=False,
)
_VLLM = Trainer(
    name="vllm",
    since="2023-06",
    sources=("vllm-project/vllm@0012cf691b:vllm/v1/worker/gpu_worker.py determine_available_memory",),
    serves=True,
    takes_its_share=True,
    attention="flash",
)

TRAINERS: tuple[Trainer, ...] = (
    _TRAINER_2023, _TRAINER_SDPA, *_TRAINERS, *_ACCELERATE, *_DEEPSPEED, _TRL_2023, _TRL_SDPA, _TRL_2024,
    _TRL_2024_10, _TRL_2025, _TRL_2025_12, _TRL_2026, _TRL_TILED, TUNESTACK, _XTUNER, _OPENRLHF, _UNSLOTH,
    _UNSLOTH_FUSED, _LITGPT, _LITGPT_2024_08, _LITGPT_2025_08, _TORCHTUNE, _TORCHTUNE_CHUNKED, _TORCHTUNE_2025,
    _TORCHTITAN, _TORCHTITAN_2025, _TORCHTITAN_UNITS, _TORCHTITAN_CHUNKED, _MEGATRON, _NEMO, _VLLM, _GENERATE_2023,
    _GENERATE_SDPA, _GENERATE, _GENERATE_2026,
)  # fmt: skip
