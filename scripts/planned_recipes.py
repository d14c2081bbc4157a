"""The eight recipes that people run most, planned, beside what published guides choose: a table for the docs."""

from dataclasses import dataclass
from typing import cast

from tunestack.planning import Plan, PlanRequest, make_plans
from tunestack.sizing.job.named_methods import NamedMethod, job_of_method
from tunestack.sizing.memory.estimate import GIB
from tunestack.sizing.model.model_source import find_model

TOKENS = 10_000_000
HYPERPOD = "sagemaker-hyperpod-recipes@2631995"
LITGPT = "litgpt config_hub@2685705"


@dataclass(frozen=True)
class Guide:
    """A recipe, what a guide runs it on, and why the plan differs."""

    model: str
    method: str
    length: int
    chosen: str
    why: str


GUIDES = (
    Guide("Qwen/Qwen2.5-1.5B", "full", 4096, f"1 × ml.g5.48xlarge or larger ({HYPERPOD})",
          "one GPU holds it; eight are faster, and a recipe for all sizes names machines of eight"),
    Guide("meta-llama/Llama-3.2-3B", "qlora", 512, f"one A10G ({LITGPT})",
          "any 24 GB GPU holds it; the L40S takes fewer hours for its price"),
    Guide("meta-llama/Llama-3.1-8B", "qlora", 512, f"one A10G, 17.4 GB measured at 2 × 512 tokens ({LITGPT})",
          "any 24 GB GPU holds it; an H100 takes fewer hours for its price"),
    Guide("meta-llama/Llama-3.1-8B", "lora", 4096, f"1 × ml.g5.12xlarge or larger ({HYPERPOD})",
          "one 80 GB GPU needs no checkpointing and is cheapest by the token; 24 GB ones are sharded"),
    Guide("meta-llama/Llama-2-13b-hf", "qlora", 2048, "ml.g5.4xlarge: 31,728 s, $17.89 (a public bill)",
          "the A10G is among the plans, but an H100 takes less than a tenth of its hours"),
    Guide("Qwen/Qwen2.5-32B", "lora", 4096, f"1 × ml.g6.48xlarge or larger ({HYPERPOD})",
          "7 GiB of logits don't fit beside the shard on 24 GB; guides fuse the loss or split it"),
    Guide("meta-llama/Llama-3.1-70B", "qlora", 512,
          "one 48 GB GPU (QLoRA paper, 65B); 2 × 24 GB with CPU offload (axolotl)",
          "a 48 GB card may hold it, not surely: Llama 3's vocabulary is four times the paper's"),
    Guide("meta-llama/Llama-3.1-70B", "full", 4096, f"4 × ml.p4de.24xlarge or ml.p5.48xlarge ({HYPERPOD})",
          "fp32 weights and moments (16 B a parameter) take 32 GPUs, as the guide has; 16 rows go to 16 at most"),
)  # fmt: skip


def table() -> str:
    """The recipes' cheapest plans, as Markdown."""
    lines = [
        "| recipe | cheapest plan | GPU memory | hours | on demand | a published guide's choice |",
        "|---|---|---:|---:|---:|---|",
    ]
    differences = [f"- {_name(guide)}: {guide.why}." for guide in GUIDES]
    return "\n".join([*lines, *(_row(guide) for guide in GUIDES), "", "Where they differ, and why:", "", *differences])


def _row(guide: Guide) -> str:
    plans = [plan for plan in make_plans(_request(guide)).plans if plan.usd is not None]
    cells = _cells(plans[0]) if plans else ("none with a known price", "", "", "")
    return f"| {' | '.join((_name(guide), *cells, guide.chosen))} |"


def _name(guide: Guide) -> str:
    size = guide.model.rpartition("/")[2].removesuffix("-hf")
    method = {"qlora": "QLoRA", "lora": "LoRA"}.get(guide.method, guide.method)
    return f"{size}, {method}, {guide.length:,} tokens"


def _cells(plan: Plan) -> tuple[str, ...]:
    candidate = plan.candidate
    count = f"{candidate.count} × " if candidate.count > 1 else ""
    sharding = f", {candidate.job.sharding}" if candidate.job.gpus > 1 else ""
    return (
        f"{count}{plan.instance.name}{sharding}",
        f"{candidate.memory.device_bytes / GIB:.0f} GiB",
        f"{plan.hours:.1f}",
        f"{'' if plan.price is None or plan.price.exact else '~'}${plan.usd:,.2f}",
    )


def _request(guide: Guide) -> PlanRequest:
    job = job_of_method(cast(NamedMethod, guide.method), max_length=guide.length)
    return PlanRequest(architecture=find_model(guide.model), job=job, tokens=TOKENS)
