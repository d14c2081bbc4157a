"""`tunestack memory`: one job's GPU memory, phase by phase and component by component, with nothing planned."""

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import click

from tunestack.catalogue.gpus import Gpu
from tunestack.catalogue.instances import JobKind, instance_types
from tunestack.cli.job_options import job_options
from tunestack.cli.memory_options import (
    ANY,
    OBJECTIVES,
    OF_ROLLOUTS,
    InferenceOptions,
    TrainingOptions,
    options_of,
)
from tunestack.cli.options import check_region, given
from tunestack.planning.verdict import verdicts
from tunestack.sizing.job.fine_tuning import SizingError
from tunestack.sizing.memory import rules_of_thumb
from tunestack.sizing.memory.estimate import GIB, Fit, MemoryEstimate
from tunestack.sizing.model.architecture import Architecture
from tunestack.sizing.model.model_source import find_model
from tunestack.sizing.precision import bytes_per_weight
from tunestack.sizing.trainers.choice import trainer_names
from tunestack.sizing.trainers.known import TUNESTACK

SHOWN_TYPES = 4
SHOWN_GIB = 0.01


@click.command("memory")
@click.option("--model", required=True, help="A preset's hub id, or the path of a config.json.")
@job_options(
    "objective", "method", "per_device_train_batch_size", "max_length", "gradient_accumulation_steps", "rank",
    "target_modules", "trainable_layers", "trainer", "optimizer", "optimizer_in_backward", "checkpointing", "attention",
    "loss", "fuse_layers", "modules_to_save", "gpus", "sharding", "replicas", "sync_each_batch", "cpu_offload",
    *OF_ROLLOUTS, "dtype", "cache_dtype", "quantization", "gpu_memory_utilization", "adapters",
    objective={
        "type": click.Choice(OBJECTIVES), "help": "dpo: any with a reference model; simpo: without; grpo: RLOO, too.",
    },
    trainer={
        "type": (*trainer_names(), ANY), "default": TUNESTACK.name,
        "help": "Who trains: what its code keeps and when. any: whoever it is, in one range.",
    },
)  # fmt: skip
@click.option("--region", default="us-east-1", show_default=True, help="Whose prices the verdict is sorted by.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def memory_command(
    context: click.Context, /, model: str, objective: str, region: str, as_json: bool, **chosen: Any
) -> None:
    """Size one job on one of its GPUs: what is there when, the peak, and which GPUs have room for it."""
    check_region(region)
    options, architecture = options_of(objective, chosen, given(context) & chosen.keys()), find_model(model)
    if isinstance(options, TrainingOptions):
        options.check(architecture)
    elif options.quantization is None:
        options = replace(options, quantization=architecture.quantized_as or "none")
    on = _on_each_gpu(options, architecture)
    rooms = _rooms(options, architecture)
    fits: dict[Gpu, Fit] = {
        gpu: "no" if found is None or rooms.get(gpu) == 0 else found.fits(gpu.usable_bytes) for gpu, found in on.items()
    }
    shown, found = _shown(on, fits)
    if as_json:
        of_gpu = {"gpu": _gpu_name(shown)} if options.asks_for_gpu else {}
        held = {
            **to_json(found, fits), **of_gpu, "quantized_as": architecture.quantized_as,
            "instance_types": _verdicts_json(options, architecture, region),
        }  # fmt: skip
        tokens = {"cache_tokens": {_gpu_name(gpu): room for gpu, room in rooms.items()}} if rooms else {}
        click.echo(json.dumps({**held, **tokens}, indent=2))
        return
    where = f", on one {_gpu_name(shown)}" if options.asks_for_gpu else ""
    click.echo(f"{architecture.name}: {architecture.parameters:,} parameters, {objective}{where}\n")
    _print_format(options, architecture)
    _print_phases(found)
    _print_experts(found, architecture)
    _print_gpus(fits)
    older = next((needed for gpu, needed in on.items() if needed and not gpu.has_bfloat16), None)
    if older and older.device_bytes > found.device_bytes and not options.asks_for_gpu:
        names = ", ".join(sorted({gpu.name for gpu in fits if not gpu.has_bfloat16}))
        click.echo(f"GPUs without bfloat16 ({names}) compute in fp32: {older.range_gib} there")
    if isinstance(options, InferenceOptions) and rooms:
        _print_rooms(rooms, options.gpu_memory_utilization)
    if line := options.afterwards(architecture):
        click.echo(f"\n{line}")
    _print_rules(architecture)
    _print_verdict(options, architecture, region)


def to_json(found: MemoryEstimate, fits: Mapping[Gpu, Fit]) -> dict[str, Any]:
    """The estimate in bytes, and which GPUs have room for it."""
    return {**found.to_json(), "fits": {_gpu_name(gpu): answer for gpu, answer in fits.items()}}


def _on_each_gpu(
    options: TrainingOptions | InferenceOptions, architecture: Architecture
) -> dict[Gpu, MemoryEstimate | None]:
    """What is needed on each GPU; None where an engine's share of it is too small.

    Raises:
        SizingError: it is too small on all of them, or the job can't be.
    """
    if not options.asks_for_gpu:
        older, newer = (options.memory(architecture, has_bfloat16=has) for has in (False, True))
        return {gpu: newer if gpu.has_bfloat16 else older for gpu in _gpus()}
    found: dict[Gpu, MemoryEstimate | None] = {}
    reasons = []
    for gpu in _gpus():
        try:
            found[gpu] = options.memory(architecture, has_bfloat16=gpu.has_bfloat16, capacity_bytes=gpu.usable_bytes)
        except SizingError as error:
            found[gpu] = None
            reasons.append(error)
    if len(reasons) == len(found):
        raise reasons[-1]
    return found


def _shown(on: Mapping[Gpu, MemoryEstimate | None], fits: Mapping[Gpu, Fit]) -> tuple[Gpu, MemoryEstimate]:
    """The smallest GPU with bfloat16 that has room, or the largest there is, and what is needed there."""
    newer = [(gpu, found) for gpu, found in on.items() if found and gpu.has_bfloat16]
    return next(((gpu, found) for gpu, found in newer if fits[gpu] == "yes"), newer[-1])


def _print_format(options: TrainingOptions | InferenceOptions, architecture: Architecture) -> None:
    """What the checkpoint's weights are in already, and whether they are sized so."""
    if architecture.quantized_as is None:
        click.echo("its config.json has a quantization_config of a format that isn't known: sized as 16 bit\n")
    elif architecture.quantized_as != "none":
        sized = "sized so" if isinstance(options, InferenceOptions) else "a training is sized as its method says"
        click.echo(f"its checkpoint is {architecture.quantized_as} by its config.json: {sized}\n")


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


def _print_experts(found: MemoryEstimate, architecture: Architecture) -> None:
    """What would change the largest part of a mixture of experts that bitsandbytes doesn't reach."""
    parts = found.components()
    if changed := parts.get("experts being changed", 0) + parts.get("experts with their adapters", 0):
        click.echo(
            f"\nadapters are on the experts, too, which are there once more, changed ({changed / GIB:.1f} GiB); "
            "--target-modules of attention alone leave them out"
        )
    if not (kept_bytes := found.components().get("weights: experts")):
        return
    packed_gib = architecture.unquantized_experts("nf4") * bytes_per_weight("mxfp4", dtype="bf16") / GIB
    click.echo(
        f"\nof that, {kept_bytes / GIB:.0f} GiB are experts that bitsandbytes leaves as they are: a checkpoint "
        f"whose own experts are quantised (MXFP4, GPTQ, AWQ) would hold them in about {packed_gib:.0f} GiB"
    )


def _print_gpus(fits: Mapping[Gpu, Fit]) -> None:
    for answer, word in (("yes", "fits"), ("tight", "may fit"), ("no", "does not fit")):
        names = [_gpu_name(gpu) for gpu, found in fits.items() if found == answer]
        if names:
            click.echo(f"{word}: {', '.join(names)}")


def _rooms(options: TrainingOptions | InferenceOptions, architecture: Architecture) -> dict[Gpu, int]:
    """Tokens of the cache that an engine would have, by GPU; empty where none was asked for."""
    if not isinstance(options, InferenceOptions):
        return {}
    rooms = {gpu: options.room(architecture, gpu.usable_bytes) for gpu in _gpus()}
    return {gpu: room for gpu, room in rooms.items() if room is not None}


def _print_rooms(rooms: Mapping[Gpu, int], utilization: float | None) -> None:
    click.echo(f"\ntokens of KV cache at {utilization:.0%} of a GPU:")
    for gpu, tokens in rooms.items():
        click.echo(f"  {_gpu_name(gpu)}: {tokens:,}" if tokens else f"  {_gpu_name(gpu)}: the weights leave no room")


def _print_verdict(options: TrainingOptions | InferenceOptions, architecture: Architecture, region: str) -> None:
    kind, what = _kind(options), "the job"
    if isinstance(options, InferenceOptions):
        held_as = options.dtype if options.quantization in (None, "none") else options.quantization
        what = f"{options.weights_bytes(architecture) / 1e9:,.0f} GB of {held_as} weights"
    found = verdicts(partial(options.needs, architecture), kind=kind, region=region)
    if not found:
        counts = {item.gpus for item in instance_types().values() if kind in item.allowed_for} | {1}
        divided = options.sharding != "none" and options.gpus not in counts
        why = f"has {options.gpus} GPUs" if divided else f"has room for {what}"
        click.echo(f"\nno instance type for {kind} {why}")
        return
    click.echo(f"\n{what}: {'fits' if found[0].fit == 'yes' else 'may fit'} {found[0]}")
    for verdict in found[1:SHOWN_TYPES]:
        click.echo(f"  {'or' if verdict.fit == 'yes' else 'perhaps'} {verdict}")


def _kind(options: TrainingOptions | InferenceOptions) -> JobKind:
    return "hosting" if isinstance(options, InferenceOptions) else "training"


def _verdicts_json(
    options: TrainingOptions | InferenceOptions, architecture: Architecture, region: str
) -> list[dict[str, Any]]:
    found = verdicts(partial(options.needs, architecture), kind=_kind(options), region=region)
    return [
        {"name": item.instance.name, "gpus": item.gpus, "fits": item.fit, "usd_per_hour": item.usd_per_hour}
        for item in found
    ]


def _gpus() -> list[Gpu]:
    """The GPUs of the instance types that SageMaker has, smallest first."""
    found = {instance.gpu for instance in instance_types().values() if instance.gpu}
    return sorted(found, key=lambda gpu: (gpu.memory_gb, gpu.name))


def _gpu_name(gpu: Gpu) -> str:
    return f"{gpu.name} {gpu.memory_gb:g} GB"


def _print_rules(architecture: Architecture) -> None:
    inference = rules_of_thumb.fp32_inference_gb(architecture.parameters)
    training = rules_of_thumb.full_fine_tuning_gb(architecture.parameters)
    click.echo(
        f"\nrules of thumb: {inference:,.0f} GB for fp32 inference (4 bytes a parameter), {training:,.0f} GB for full\n"
        "fp32 fine-tuning with Adam (six times that). They know nothing of rows, logits or quantised weights."
    )
