"""The worked example of docs/planning.md: five thousand answers, from the file to the bill."""

from collections.abc import Iterable
from dataclasses import replace

from tunestack.money import in_hours, usd
from tunestack.planning.blueprint import Blueprint, blueprint_of
from tunestack.settings.loading import load_settings
from tunestack.settings.recipe import changed_recipe
from tunestack.sizing.memory.estimate import GIB
from tunestack.sizing.memory.training_memory import training_memory
from tunestack.template.assembly import Stack

ROWS, TOKENS_A_ROW, EPOCHS = 5_000, 600, 3
ENVIRONMENT = "prod"


def example(stacks: Iterable[Stack]) -> str:
    """The example's text and tables; `stacks` are the environment's."""
    blueprint = _blueprint()
    run, job = blueprint.run, blueprint.workload.job
    architecture = blueprint.workload.architecture
    assert architecture
    memory = training_memory(architecture, job)
    standing = [stack.template["Metadata"]["tunestack:cost"] for stack in stacks]
    month = sum(float(cost["StandingUsdPerMonth"]) for cost in standing)
    runs = blueprint.settings.environment.budget.runs_per_month
    assert run.expected_usd
    hours = sum(item.expected_hours or 0 for item in run.jobs)
    return "\n".join([
        f"{ROWS:,} answers of about {TOKENS_A_ROW} tokens, seen {EPOCHS} times by {architecture.name} in "
        f"{ENVIRONMENT}: `costs.training_tokens: {ROWS * TOKENS_A_ROW:_}` in the settings, "
        f"`training.num_train_epochs: {EPOCHS}` in the recipe. (`tunestack data add` says how many tokens a file has.)",
        "",
        f"1. **Does it fit?** `auto` takes {job.per_device_train_batch_size} rows of {job.max_length:,} tokens at a "
        "time: "
        f"{memory.device_bytes / GIB:.1f} GiB on the device ({memory.low_bytes / GIB:.1f} to "
        f"{memory.high_bytes / GIB:.1f}), of which the weights are {_weights_gib(blueprint):.1f}.",
        f"2. **How long?** {ROWS * TOKENS_A_ROW * EPOCHS:,} tokens; each step of the pipeline by itself:",
        "",
        "| step | on | hours | rate | expected | if it runs into its time limit |",
        "|---|---|---:|---:|---:|---:|",
        *(
            f"| {item.step} | {item.instance_type} | {in_hours(item.expected_hours)} | "
            f"{usd(item.price.usd * item.paid_share if item.price else None)} | {usd(item.expected_usd)} | "
            f"{usd(item.ceiling_usd)} |"
            for item in run.jobs
        ),
        f"| a run | | {hours:.2f} | | **{usd(run.expected_usd)}** ({usd(run.low_usd)} at best) | "
        f"{usd(run.ceiling_usd)} |",
        "",
        f"3. **And between runs?** The stacks cost {usd(month)} a month, most of it the network's endpoints; with "
        f"{runs} runs (`budget.runs_per_month`) a month comes to {usd(month + runs * run.expected_usd)}.",
        "4. **And afterwards?** `tunestack cost actual` sets what was billed beside this, step by step, and says which "
        "assumption was off: the tokens, the speed, or the peak of memory.",
    ])  # fmt: skip


def _blueprint() -> Blueprint:
    settings = load_settings(ENVIRONMENT)
    environment = settings.environment
    costs = environment.costs.model_copy(update={"training_tokens": ROWS * TOKENS_A_ROW})
    return blueprint_of(
        replace(
            settings,
            environment=environment.model_copy(update={"costs": costs}),
            recipe=changed_recipe(settings.recipe, {"training.num_train_epochs": EPOCHS}),
        )
    )


def _weights_gib(blueprint: Blueprint) -> float:
    architecture = blueprint.workload.architecture
    assert architecture
    parts = training_memory(architecture, blueprint.workload.job).components()
    return sum(size for name, size in parts.items() if name.startswith("weights")) / GIB
