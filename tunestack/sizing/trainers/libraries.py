"""What the libraries that trainers are made of do, and from which month on, with where it is to be read.

A citation is `repository@version:file`, with the symbol. Months are those of the releases.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tunestack.sizing.trainers.trainer import OF_THE_TRAINER, Trainer


@dataclass(frozen=True, kw_only=True)
class Change:
    """From a month on (`since`, YYYY-MM) these fields of a trainer are so; `sources` show it."""

    since: str
    facts: Mapping[str, Any]
    sources: tuple[str, ...]


def change(since: str, *sources: str, **facts: Any) -> Change:
    """A change, as the tables write it: the month, where it is to be read, and what it sets."""
    return Change(since=since, facts=facts, sources=sources)


Library = tuple[Change, ...]


def history(
    name: str, *libraries: Library, own: Library = (), since: str = "", until: str = "9999-12"
) -> tuple[Trainer, ...]:
    """A trainer over time: an entry for each month from which on its libraries, or what is its own, do otherwise.

    What is its own counts over its libraries'. `since` and `until` bound the months, the latter not included.
    """
    changes = sorted((item for library in (*libraries, own) for item in library), key=lambda item: item.since)
    months = {max(item.since, since) for item in changes if item.since < until}
    return tuple(_entry(name, month, [item for item in changes if item.since <= month]) for month in sorted(months))


def _entry(name: str, month: str, changes: list[Change]) -> Trainer:
    facts: dict[str, Any] = {}
    for item in changes:
        facts |= item.facts
    # Where each fact is to be read that is in force.
    holding = [item for item in changes if any(facts[field] is value for field, value in item.facts.items())]
    sources = dict.fromkeys(source for item in holding for source in item.sources)
    return Trainer(name=name, since=month, sources=tuple(sources), **facts)


TRANSFORMERS: Library = (
    change("2023-01", "huggingface/transformers@v4.44.2:models/llama/modeling_llama.py:1209 logits.float()",
           upcasts_logits=True),
    change("2024-10", "huggingface/transformers@v4.46.0:loss/loss_utils.py ForCausalLMLoss: logits.float(), in the loss alone",
           upcasts_logits=False),
    change("2025-07", "huggingface/transformers@v4.54.0:training_args.py:1286 optim: adamw_torch_fused",
           optimizer="adamw_fused"),
)  # fmt: skip
# What a model's classes are, whoever runs them.
TRANSFORMERS_MODELS: Library = (
    change("2023-01", "huggingface/transformers@v4.44.2:models/mixtral/modeling_mixtral.py MixtralBlockSparseTop2MLP",
           experts_are_modules=True),
    change("2023-01", "huggingface/transformers@v4.44.2:integrations/bitsandbytes.py:159 isinstance(module, nn.Linear)",
           quantizes_derived=True),
    change("2023-01", "huggingface/transformers@v4.36.0:modeling_utils.py _check_and_enable_sdpa; before, all is eager",
           attention="eager"),
    change("2023-12", "huggingface/transformers@v4.36.0:modeling_utils.py _check_and_enable_sdpa; before, all is eager",
           attention="sdpa"),
    change("2026-01", "huggingface/transformers@v5.0.0:models/mixtral/modeling_mixtral.py MixtralExperts",
           experts_are_modules=False),
    change("2026-01", "huggingface/transformers@v5.23.0:integrations/bitsandbytes.py:189 type(module) is nn.Linear",
           quantizes_derived=False),
)  # fmt: skip
# Attention with fewer heads of keys, as it is trained: answering asks for no more.
SDPA: Library = (
    change("2025-07", "huggingface/transformers@v4.54.0:integrations/sdpa_attention.py use_gqa_in_sdpa",
           passes_groups=True),
)  # fmt: skip
BITSANDBYTES: Library = (
    change("2023-01", "huggingface/transformers@v4.44.2:trainer.py:1111 nn.Embedding gets 32-bit states of 8-bit optimizers",
           wide_embedding_states=True),
    change("2023-01", "bitsandbytes@0.43.1:autograd/_functions.py:516 MatMul4Bit saves (A, B); 0.43.2 saves (None, B)",
           quantized_inputs="fp32"),
    change("2024-07", "bitsandbytes@0.43.1:autograd/_functions.py:516 MatMul4Bit saves (A, B); 0.43.2 saves (None, B)",
           quantized_inputs=None),
)  # fmt: skip
PEFT: Library = (
    change("2023-01", "huggingface/peft@v0.12.0:utils/other.py prepare_model_for_kbit_training: 16-bit parameters become fp32",
           upcasts_unquantized=True),
    change("2023-01", "huggingface/peft@v0.12.0:peft_model.py:137 autocast_adapter_dtype; before, an adapter follows its linear",
           fp32_adapters=False),
    change("2024-07", "huggingface/peft@v0.12.0:peft_model.py:137 autocast_adapter_dtype; before, an adapter follows its linear",
           fp32_adapters=True),
    change("2026-07", "huggingface/peft@v0.20.0:utils/transformers_weight_conversion.py _MOE_TARGET_MODULE_MAPPING",
           adapts_parameters=True),
)  # fmt: skip
ACCELERATE: Library = (
    change("2024-05", "huggingface/accelerate@v0.30.0:accelerator.py:1525 trainable flat parameters become fp32",
           fp32_under_fsdp=True),
    change("2025-07", "huggingface/accelerate@v1.6.0:utils/dataclasses.py FullyShardedDataParallelPlugin.fsdp_version, tp_plugin",
           fsdp2=True, shardings=OF_THE_TRAINER | {"tensor"}),
)  # fmt: skip
