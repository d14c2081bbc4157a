"""`tunestack memory`: one job's GPU memory, phase by phase and component by component, with nothing planned."""

import json
from typing import Any, cast, get_args

import click
from click.core import ParameterSource

from tunestack.catalogue.gpus import Gpu
from tunestack.catalogue.instances import instance_types
from tunestack.errors import UserError
from tunestack.sizing.job.fine_tuning import AttentionKernel, Checkpointing, LossKernel, Sharding
from tunestack.sizing.job.named_methods import NamedMethod, job_of_method
from tunestack.sizing.job.optimizers import Optimizer
from tunestack.sizing.memory import rules_of_thumb
from tunestack.sizing.memory.estimate import GIB, MemoryEstimate
from tunestack.sizing.memory.inference_memory import Inference, inference_memory
from tunestack.sizing.memory.objectives import Objective, objective_memory
from tunestack.sizing.memory.serving_memory import many_adapters, many_copies, merge_needs
from tunestack.sizing.model.architecture import Architecture
from tunestack.sizing.model.model_source import find_model
from tunestack.sizing.precision import Quantization

INFERENCE = "inference"
FUSIBLE = ("qlora", "lora", "dora")
# Options that mean something with some choices only: given with others, they are mistakes.
OF_INFERENCE = ("quantization", "adapters")
OF_TRAINING = (
    "method", "gradient_accumulation_steps", "trainable_layers", "optimizer", "checkpointing", "loss", "cpu_offload",
    "sync_each_batch",
)  # fmt: skip
SHARDINGS_OF_INFERENCE = ("none", "tensor", "layers")
# A reward model's own kernel comes with its objective.
LOSSES = tuple(kernel for kernel in get_args(LossKernel) if kernel != "score")
SHOWN_GIB = 0.01
MOST_ADAPTERS = 100_000


def _choice(kind: Any) -> click.Choice[str]:
    return click.Choice(get_args(kind))


@click.command("memory")
@click.option("--model", required=True, help="A preset's hub id, or the path of a config.json.")
@click.option(
    "--objective", type=click.Choice((*get_args(Objective), INFERENCE)), default="sft", show_default=True,
    help="dpo: any with a reference model; simpo: without; grpo: RLOO, too.",
)  # fmt: skip
@click.option("--method", type=_choice(NamedMethod), default="qlora", show_default=True)
@click.option(
    "--per-device-train-batch-size",
    "--micro-batch",
    "per_device_train_batch_size",
    type=int,
    default=1,
    show_default=True,
    help="Rows (or pairs) a GPU sees at a time.",
)
@click.option(
    "--max-length",
    "--sequence-length",
    "max_length",
    type=int,
    default=1024,
    show_default=True,
    help="Tokens of a row.",
)
@click.option(
    "--gradient-accumulation-steps", "--gradient-accumulation", "gradient_accumulation_steps", type=int, default=1,
    show_default=True,
)  # fmt: skip
@click.option("--rank", "r", type=int, default=16, show_default=True, help="LoRA's rank.")
@click.option("--trainable-layers", type=int, default=0, help="With --method frozen: how many of the last layers.")
@click.option("--optimizer", type=_choice(Optimizer), default="adamw", show_default=True)
@click.option("--checkpointing", type=_choice(Checkpointing), default="full", show_default=True)
@click.option("--attention", type=_choice(AttentionKernel), default="sdpa", show_default=True)
@click.option("--loss", type=click.Choice(LOSSES), default="plain", show_default=True)
@click.option("--gpus", type=int, default=1, show_default=True)
@click.option("--sharding", type=_choice(Sharding), default="none", show_default=True)
@click.option("--sync-each-batch", is_flag=True, help="With fsdp: gradients are reduced at every micro-step.")
@click.option("--cpu-offload", is_flag=True, help="With fsdp or zero3: weights and states lie on the host.")
@click.option("--quantization", type=_choice(Quantization), help="With inference.")
@click.option(
    "--adapters", type=click.IntRange(1, MOST_ADAPTERS), help="With inference: so many side by side on one base."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def memory_command(context: click.Context, /, model: str, objective: str, as_json: bool, **chosen: Any) -> None:
    """Size one job on one of its GPUs: what is there when, the peak, and which GPUs have room for it."""
    _check(context, objective, chosen)
    architecture = find_model(model)
    size = _inference if objective == INFERENCE else _training
    found = size(architecture, objective, chosen)
    if as_json:
        click.echo(json.dumps(to_json(found), indent=2))
        return
    click.echo(f"{architecture.name}: {architecture.parameters:,} parameters, {objective}\n")
    _print_phases(found)
    _print_gpus(found)
    for line in _afterwards(architecture, objective, chosen):
        click.echo(line)
    _print_rules(architecture)


def to_json(found: MemoryEstimate) -> dict[str, Any]:
    """Bytes by phase and component, the three totals, and the range of the last one."""
    return {
        "phases": {
            phase.name: {part.name: round(part.size_bytes) for part in phase.components if part.size_bytes}
            for phase in found.phases
        },
        "peak_phase": found.peak.name,
        "allocated_bytes": round(found.allocated_bytes),
        "reserved_bytes": round(found.reserved_bytes),
        "device_bytes": round(found.device_bytes),
        "device_bytes_range": [round(found.low_bytes), round(found.high_bytes)],
        "paged_bytes": round(found.paged_bytes),
        "fits": {_gpu_name(gpu): found.fits(gpu.usable_bytes) for gpu in _gpus()},
    }


def _check(context: click.Context, objective: str, chosen: dict[str, Any]) -> None:
    """Refuse what would be left out of the answer.

    Raises:
        UserError: an option that means nothing beside the others.
    """
    given = {name for name in chosen if context.get_parameter_source(name) is ParameterSource.COMMANDLINE}
    inference = objective == INFERENCE
    for name in OF_TRAINING if inference else OF_INFERENCE:
        if name in given:
            means = "means nothing with" if inference else "goes with"
            raise UserError(f"{_flag(name)} {means} --objective inference")
    if "trainable_layers" in given and chosen["method"] != "frozen":
        raise UserError("--trainable-layers goes with --method frozen")
    if "r" in given and not (chosen["adapters"] if inference else chosen["method"] in FUSIBLE):
        raise UserError("--rank goes with --method qlora, lora or dora, and with --adapters")
    if "loss" in given and objective == "reward":
        raise UserError("--loss means nothing with --objective reward, whose head has one output")
    if chosen["optimizer"].startswith("galore") and chosen["method"] not in ("full", "frozen"):
        raise UserError("--optimizer galore goes with --method full or frozen: adapters are of low rank already")
    if "checkpointing" in given and chosen["method"] == "prefix_tuning" and chosen["checkpointing"] != "none":
        raise UserError("PEFT refuses prefix tuning with checkpointing: --checkpointing none")
    if chosen["sharding"] == "none" and chosen["gpus"] > 1:
        raise UserError(f"--gpus {chosen['gpus']} needs a --sharding: how the job is spread over them")
    if chosen["sharding"] != "none" and chosen["gpus"] == 1 and not chosen["cpu_offload"]:
        raise UserError(f"--sharding {chosen['sharding']} needs --gpus above 1")
    if inference and chosen["sharding"] not in SHARDINGS_OF_INFERENCE:
        raise UserError(f"--objective inference is spread by --sharding {' or '.join(SHARDINGS_OF_INFERENCE[1:])}")


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _training(architecture: Architecture, objective: str, chosen: dict[str, Any]) -> MemoryEstimate:
    fields = {name: value for name, value in chosen.items() if name not in (*OF_INFERENCE, "method")}
    if chosen["sharding"] == "tensor":
        fields["tensor_parallel"] = chosen["gpus"]
    if chosen["method"] == "prefix_tuning":
        fields["checkpointing"] = "none"
    return objective_memory(architecture, job_of_method(chosen["method"], **fields), cast(Objective, objective))


def _inference(architecture: Architecture, objective: str, chosen: dict[str, Any]) -> MemoryEstimate:
    serving = _serving(chosen)
    if chosen["adapters"]:
        return many_adapters(architecture, serving, count=chosen["adapters"], rank=chosen["r"])
    return inference_memory(architecture, serving)


def _serving(chosen: dict[str, Any]) -> Inference:
    return Inference(
        batch=chosen["per_device_train_batch_size"],
        max_length=chosen["max_length"],
        quantization=chosen["quantization"] or "none",
        attention=chosen["attention"],
        gpus=chosen["gpus"],
        tensor_parallel=chosen["sharding"] == "tensor",
    )


def _print_phases(found: MemoryEstimate) -> None:
    for phase in found.phases:
        mark = "  the peak" if phase is found.peak else ""
        click.echo(f"{phase.size_bytes / GIB:8.2f} GiB  {phase.name}{mark}")
    click.echo(f"\n{found.peak.name}:")
    for part in sorted(found.peak.components, key=lambda part: -part.size_bytes):
        if part.size_bytes / GIB >= SHOWN_GIB:
            click.echo(f"{part.size_bytes / GIB:8.2f} GiB  {part.name} ({part.formula})")
    click.echo(
        f"\nallocated {found.allocated_bytes / GIB:.1f}, reserved {found.reserved_bytes / GIB:.1f}, on the device "
        f"{found.range_gib}"
    )
    if found.paged_bytes:
        click.echo(f"and {found.paged_bytes / GIB:.1f} GiB of paged optimizer states, on the GPU while there is room")


def _print_gpus(found: MemoryEstimate) -> None:
    for answer, word in (("yes", "fits"), ("tight", "may fit"), ("no", "does not fit")):
        names = [_gpu_name(gpu) for gpu in _gpus() if found.fits(gpu.usable_bytes) == answer]
        if names:
            click.echo(f"{word}: {', '.join(names)}")


def _gpus() -> list[Gpu]:
    """The GPUs of the instance types that SageMaker has, smallest first."""
    found = {instance.gpu for instance in instance_types().values() if instance.gpu}
    return sorted(found, key=lambda gpu: (gpu.memory_gb, gpu.name))


def _gpu_name(gpu: Gpu) -> str:
    return f"{gpu.name} {gpu.memory_gb:g} GB"


def _afterwards(architecture: Architecture, objective: str, chosen: dict[str, Any]) -> list[str]:
    """What comes after the job: copies in the place of adapters, or fusing one."""
    if chosen["adapters"]:
        copies = many_copies(architecture, _serving(chosen), count=chosen["adapters"])
        where = f" of all {chosen['gpus']} GPUs together" if chosen["gpus"] > 1 else ""
        return [f"\n{chosen['adapters']} merged models in their place would take {copies / GIB:,.1f} GiB{where}"]
    if objective == INFERENCE or chosen["method"] not in FUSIBLE:
        return []
    needs = merge_needs(architecture)
    host, disk = needs.host_memory_bytes / GIB, needs.disk_bytes / 1e9
    return [f"\nfusing the adapter afterwards takes {host:,.0f} GiB of a host's memory and {disk:,.0f} GB of disk"]


def _print_rules(architecture: Architecture) -> None:
    inference = rules_of_thumb.fp32_inference_gb(architecture.parameters)
    training = rules_of_thumb.full_fine_tuning_gb(architecture.parameters)
    click.echo(
        f"\nrules of thumb: {inference:,.0f} GB for fp32 inference (4 bytes a parameter), {training:,.0f} GB for full\n"
        "fp32 fine-tuning with Adam (six times that). They know nothing of rows, logits or quantised weights."
    )
