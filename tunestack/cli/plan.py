"""`tunestack plan`: where a job fits, how long it takes, what it costs, before anything is deployed."""

import json
from datetime import date
from typing import Any

import click

from tunestack.catalogue.assumptions import SPOT_SAVINGS
from tunestack.cli.job_options import OPTIONS, check_needs, fields_of, job_options
from tunestack.cli.options import check_region, check_together, check_trainer, given
from tunestack.errors import UserError
from tunestack.money import usd
from tunestack.planning import Planning, PlanRequest, find_model, make_plans
from tunestack.planning.plan import Plan
from tunestack.sizing.job.named_methods import NamedMethod, job_of_method
from tunestack.sizing.memory.estimate import GIB
from tunestack.sizing.trainers.choice import find_trainer, trainer_names
from tunestack.sizing.trainers.known import TUNESTACK

METHODS: tuple[NamedMethod, ...] = ("qlora", "lora", "dora", "full", "prompt_tuning", "prefix_tuning")
SHOWN, REFUSED_SHOWN = 8, 6
# What a RECIPE says itself.
OF_A_MODEL = (
    "method", "rank", "objective", "trainer", "loss", "attention", "optimizer", "quantization", "cpu_offload",
    "no_packing",
)  # fmt: skip
# Beside a plan that this kit can't run.
MARK = "*"
HEADER = ("instance", "GPU memory", "batch", "checkpoints", "sharding", "hours", "on demand", "spot", "$/M tokens")


@click.command("plan")
@click.argument("recipe", required=False)
@click.option("--model", help="A preset's hub id, or the path of a config.json, instead of a RECIPE.")
@job_options(
    *OF_A_MODEL, "max_length",
    method={"type": click.Choice(METHODS), "default": None, "help": "With --model.  [default: qlora]"},
    objective={
        "help": "With --model. dpo: any with a reference; simpo: without; grpo: RLOO, too. Tokens are of both rows of "
        "a pair.",
    },
    rank={"default": None, "help": "LoRA's rank, with --model.  [default: 16]"},
    trainer={
        "type": trainer_names(), "default": TUNESTACK.name,
        "help": "With --model: who trains. A plan of another's says so.",
    },
    loss={"help": "With --model.  [default: the trainer's]"},
    attention={"help": "With --model.  [default: the trainer's]"},
    optimizer={"help": "With --model.  [default: the trainer's]"},
    quantization={"help": "With --method lora or dora: of the frozen weights."},
    cpu_offload={"help": "With --model: weights and states lie on the host."},
    max_length={"default": None, "help": "Tokens of a row.  [default: the recipe's, or 1024]"},
)  # fmt: skip
@click.option("--tokens", type=int, default=1_000_000, show_default=True, help="Tokens to train on, all epochs.")
@click.option("--effective-batch", type=int, default=16, show_default=True, help="Rows of an optimizer step.")
@click.option("--deadline-hours", type=float, help="Refuse what takes longer.")
@click.option("--budget-usd", type=float, help="Refuse what costs more.")
@click.option("--region", default="us-east-1", show_default=True)
@click.option("--spot-savings", type=float, default=SPOT_SAVINGS, show_default=True, help="Share saved on spot.")
@click.option("--instance-type", "instance_types", multiple=True, help="Only these.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def plan_command(
    context: click.Context,
    /,
    recipe: str | None,
    model: str | None,
    method: NamedMethod | None,
    as_json: bool,
    **chosen: Any,
) -> None:
    """Rank the ways to run a job: RECIPE is a file, or a name in config/recipes/."""
    if (recipe is None) == (model is None):
        raise UserError("give either a RECIPE or --model")
    of_a_model = [name for name in OF_A_MODEL if name in given(context)]
    if recipe is not None and of_a_model:
        named = ", ".join(f"--{name.replace('_', '-')}" for name in of_a_model)
        raise UserError(f"{named} goes with --model; a RECIPE says it itself")
    check_needs({**chosen, "method": method}, given(context) & OPTIONS.keys())
    if chosen["quantization"] is not None and method not in ("lora", "dora"):
        raise UserError("--quantization goes with --method lora or dora; --method qlora is NF4")
    request = _of_model(model, method or "qlora", chosen) if model is not None else _of_recipe(str(recipe), chosen)
    check_region(request.region)
    found = make_plans(request)
    if as_json:
        click.echo(json.dumps(to_json(found), indent=2))
    else:
        _print(request, found)
    if not found.plans:
        raise UserError("no instance type fits; the reasons are above")


def _of_model(model: str, method: NamedMethod, chosen: dict[str, Any]) -> PlanRequest:
    together = {name: chosen[name] for name in ("objective", "loss", "optimizer")}
    check_together(method=method, **together)
    # What lies on the host is a plan's to decide, by the way that it spreads the job.
    fields = {name: value for name, value in fields_of(chosen).items() if name != "cpu_offload"}
    job = job_of_method(method, trainer=find_trainer(chosen["trainer"]), **fields)
    check_trainer(job, chosen["objective"])
    return PlanRequest(
        architecture=find_model(model),
        job=job,
        objective=chosen["objective"],
        cpu_offload=chosen["cpu_offload"],
        **_common(chosen),
    )


def _of_recipe(name: str, chosen: dict[str, Any]) -> PlanRequest:
    from dataclasses import replace

    from tunestack.planning.model_checks import check_recipe
    from tunestack.settings.recipe import find_recipe
    from tunestack.sizing.job.recipe_job import job_of_recipe

    recipe = find_recipe(name)
    architecture = find_model(recipe.model.name_or_path)
    check_recipe(recipe, architecture, file=f"config/recipes/{name.removesuffix('.yaml')}.yaml")
    job = job_of_recipe(recipe)
    if chosen["max_length"] is not None:
        job = replace(job, max_length=chosen["max_length"])
    return PlanRequest(architecture=architecture, job=job, **_common(chosen))


def _common(chosen: dict[str, Any]) -> dict[str, Any]:
    names = ("tokens", "effective_batch", "deadline_hours", "budget_usd", "region", "spot_savings", "instance_types")
    return {name: chosen[name] for name in names}


def to_json(found: Planning) -> dict[str, Any]:
    """The plans as plain values: bytes, hours, dollars; null for what isn't known."""
    return {
        "plans": [_plan_json(plan) for plan in found.plans],
        "refusals": [
            {"instance_type": item.instance_type, "count": item.count, "reason": item.reason} for item in found.refusals
        ],
        "assumptions": list(found.assumptions),
    }


def _plan_json(plan: Plan) -> dict[str, Any]:
    job, memory = plan.candidate.job, plan.candidate.memory
    return {
        "instance_type": plan.instance.name,
        "instance_count": plan.candidate.count,
        "not_by_this_kit": plan.not_by_this_kit,
        "per_device_train_batch_size": job.per_device_train_batch_size,
        "gradient_accumulation_steps": job.gradient_accumulation_steps,
        "gradient_checkpointing": job.checkpointing == "full",
        "sharding": job.sharding,
        "sync_each_batch": job.sync_each_batch,
        "memory": memory.to_json(),
        "tokens_per_second": plan.candidate.tokens_per_second,
        "hours": plan.hours,
        "hours_range": [plan.hours_low, plan.hours_high],
        "usd": plan.usd,
        "usd_range": [plan.usd_low, plan.usd_high],
        "spot_usd": plan.spot_usd,
        "usd_per_million_tokens": plan.usd_per_million_tokens,
        "price": None
        if plan.price is None
        else {"usd_per_hour": plan.price.usd, "as_of": plan.price.as_of, "exact": plan.price.exact},
        "quota": None if plan.quota is None else {"code": plan.quota.code, "name": plan.quota.name},
        "spot_quota": None if plan.spot_quota is None else {"code": plan.spot_quota.code, "name": plan.spot_quota.name},
    }


def _print(request: PlanRequest, found: Planning) -> None:
    architecture, job = request.architecture, request.job
    how = f"{job.quantization} {job.method}" if job.quantization != "none" else job.method
    what = f"{how}, {request.objective}" if request.objective != "sft" else how
    click.echo(f"{architecture.name}: {architecture.parameters:,} parameters, {what}, {request.region}")
    if found.plans and all(plan.not_by_this_kit for plan in found.plans):
        click.echo(f"not by this kit: {found.plans[0].not_by_this_kit}; these are plans for another trainer")
    click.echo("")
    priced = [plan for plan in found.plans if plan.price is not None]
    shown = priced[:SHOWN] or list(found.plans[:SHOWN])
    rows: list[tuple[str, ...]] = [HEADER]
    rows += [_row(plan) for plan in shown]
    marked = {plan.not_by_this_kit for plan in shown if plan.not_by_this_kit}
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        click.echo("  ".join(value.ljust(width) for value, width in zip(row, widths, strict=True)).rstrip())
    for reason in sorted(marked):
        click.echo(f"{MARK} {reason}: a plan for another trainer")
    if len(priced) > SHOWN:
        click.echo(f"and {len(priced) - SHOWN} more expensive ones")
    if priced and (unpriced := [plan.instance.name for plan in found.plans if plan.price is None]):
        click.echo(f"and, at prices that aren't known here: {', '.join(unpriced)}")
    if found.plans:
        _print_best(found.plans[0])
    if found.refusals:
        click.echo("\nrefused:")
    for item in found.refusals[:REFUSED_SHOWN]:
        click.echo(f"  {item.instance_type}: {item.reason}")
    if len(found.refusals) > REFUSED_SHOWN:
        click.echo(f"  and {len(found.refusals) - REFUSED_SHOWN} more; --json has them all")
    click.echo("\nassumed:")
    for line in found.assumptions:
        click.echo(f"  {line}")


def _row(plan: Plan) -> tuple[str, ...]:
    job, memory = plan.candidate.job, plan.candidate.memory
    gpu = plan.instance.gpu
    count = f"{plan.candidate.count} × " if plan.candidate.count > 1 else ""
    return (
        f"{count}{plan.instance.name}{f' {MARK}' if plan.not_by_this_kit else ''}",
        f"{memory.device_bytes / GIB:.1f} of {gpu.usable_gib if gpu else 0:.1f} GiB",
        f"{job.per_device_train_batch_size} × {job.gradient_accumulation_steps}"
        + (f" × {job.gpus}" if job.gpus > 1 else ""),
        "yes" if job.checkpointing == "full" else "no",
        job.sharding,
        f"{plan.hours:.1f} ({plan.hours_low:.1f}–{plan.hours_high:.1f})",
        usd(plan.usd) if plan.price is None or plan.price.exact else f"~{usd(plan.usd)}",
        usd(plan.spot_usd),
        usd(plan.usd_per_million_tokens),
    )


def _print_best(plan: Plan) -> None:
    memory = plan.candidate.memory
    click.echo(f"\n{plan.instance.name}'s GPU memory, at its peak ({memory.peak.name}):")
    for name, size in sorted(memory.components().items(), key=lambda item: -item[1]):
        if size >= GIB / 100:
            click.echo(f"  {size / GIB:6.2f} GiB  {name}")
    click.echo(
        f"  allocated {memory.allocated_bytes / GIB:.1f}, reserved {memory.reserved_bytes / GIB:.1f}, on the device "
        f"{memory.range_gib}"
    )
    price = plan.price
    if price:
        kind = "" if price.exact else "list price, may differ by some per cent; "
        click.echo(f"price: ${price.usd:g}/h ({kind}{price.as_of})")
        if price.is_stale(date.today()):
            click.echo(f"  it is old: `tunestack prices refresh --region {price.region}` reads today's")
    for quota in (plan.quota, plan.spot_quota):
        if quota:
            default = "unknown" if quota.default is None else f"{quota.default:g}"
            click.echo(f"quota: {quota.name} ({quota.code}), default {default}")
