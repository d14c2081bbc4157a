"""What stops a synthesis before money is spent: memory, budget, deadline. Each says its figures and what would work."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from tunestack.catalogue import find_instance
from tunestack.costs.job_hours import architecture_of, training_hours, training_tokens
from tunestack.costs.run import RunCost, run_cost
from tunestack.errors import nearest
from tunestack.planning.plan import make_plans
from tunestack.planning.request import PlanRequest
from tunestack.settings import Problem, Settings, SettingsError
from tunestack.sizing.architecture import Architecture
from tunestack.sizing.estimate import GIB
from tunestack.sizing.inference_memory import Inference, inference_memory
from tunestack.sizing.recipe_job import job_of_recipe
from tunestack.sizing.serving_memory import merge_needs
from tunestack.sizing.training_memory import training_memory

GATES = ("memory", "budget", "deadline")
# Of a host's memory, what the system and the Python processes leave.
HOST_SHARE = 0.95


@dataclass(frozen=True, kw_only=True)
class GateProblem:
    """One gate that isn't passed."""

    gate: str
    problem: Problem


def gate_problems(settings: Settings, architecture: Architecture | None = None) -> list[GateProblem]:
    """Every gate that an environment's settings don't pass; `architecture`: of another model than the recipe's."""
    architecture = architecture or architecture_of(settings)
    found: list[GateProblem] = []
    if architecture is not None:
        found += _as("memory", _memory(settings, architecture))
    found += _as("budget", _budget(settings, run_cost(settings, architecture)))
    found += _as("deadline", _deadline(settings, architecture))
    return found


def month_problems(settings: Settings, *, standing_usd: float) -> list[GateProblem]:
    """The month's budget, once the stacks and so their standing cost are known."""
    budget, run = settings.environment.budget, run_cost(settings)
    runs_usd = run.expected_usd * budget.runs_per_month
    if budget.month_usd is None or runs_usd + standing_usd <= budget.month_usd:
        return []
    message = (
        f"a month is expected to cost ${runs_usd + standing_usd:,.2f}: {budget.runs_per_month} runs at "
        f"${run.expected_usd:,.2f} and ${standing_usd:,.2f} for the stacks; the budget is ${budget.month_usd:,.2f}"
    )
    return [GateProblem(gate="budget", problem=_problem(settings, "budget.month_usd", message))]


def enforce(problems: Iterable[GateProblem], *, allow: Iterable[str]) -> tuple[str, ...]:
    """Raise what isn't allowed (`-c allow=memory,budget`); what is allowed, as lines to record.

    Raises:
        SettingsError: a gate that isn't passed, or an unknown name in `allow`.
    """
    allowed = set(allow)
    if unknown := sorted(allowed - set(GATES)):
        hint = nearest(unknown[0], GATES)
        raise SettingsError([Problem(file="-c allow", message=f"no gate {unknown[0]!r}; {hint}")])
    found = list(problems)
    stopping = [item.problem for item in found if item.gate not in allowed]
    if stopping:
        raise SettingsError(stopping)
    return tuple(f"allowed by -c allow={item.gate}: {item.problem}" for item in found)


def _as(gate: str, problems: Iterator[Problem]) -> list[GateProblem]:
    return [GateProblem(gate=gate, problem=problem) for problem in problems]


def _problem(settings: Settings, key: str, message: str) -> Problem:
    return Problem(file=f"config/{settings.name}.yaml", key=key, message=message)


def _memory(settings: Settings, architecture: Architecture) -> Iterator[Problem]:
    """The training and the evaluation on their GPUs, packing and serving in their hosts' memory."""
    jobs = settings.environment.jobs
    training = training_memory(architecture, job_of_recipe(settings.recipe))
    for name in jobs.train.instance_choices:
        instance = find_instance(name)
        gpu = instance.gpu if instance else None
        if gpu and training.fits(gpu.usable_bytes) == "no":
            yield _problem(
                settings,
                "jobs.train",
                f"{name}: the training needs {training.device_bytes / GIB:.1f} GiB "
                f"({training.low_bytes / GIB:.1f}–{training.high_bytes / GIB:.1f}) of the {gpu.usable_gib:.1f} GiB of "
                f"its {gpu.name}; {_what_works(settings, architecture)}",
            )
    evaluation = settings.recipe["evaluation"]
    scoring = inference_memory(
        architecture,
        Inference(
            batch=evaluation["batch_size"], sequence_length=settings.recipe["training"]["max_length"],
            quantization="nf4" if settings.recipe["quantization"]["load_in_4bit"] else "none", logits_of_prompt=True,
        ),
    )  # fmt: skip
    instance = find_instance(jobs.evaluate.instance_type)
    if instance and instance.gpu and scoring.fits(instance.gpu.usable_bytes) == "no":
        yield _problem(
            settings,
            "jobs.evaluate",
            f"{instance.name}: scoring {evaluation['batch_size']} rows at a time needs "
            f"{scoring.device_bytes / GIB:.1f} GiB of {instance.gpu.usable_gib:.1f}; a smaller evaluation.batch_size "
            "in the recipe, or a larger GPU, works",
        )
    yield from _host_memory(settings, architecture)


def _host_memory(settings: Settings, architecture: Architecture) -> Iterator[Problem]:
    needed_gib = merge_needs(architecture).host_memory_bytes / GIB
    jobs = settings.environment.jobs
    for key, job, what in (
        ("jobs.register", jobs.registration, "fusing the model in fp32"),
        ("jobs.transform", jobs.transform, "serving the fused fp32 model"),
    ):
        instance = find_instance(job.instance_type)
        if instance and not instance.gpus and needed_gib > instance.memory_gib * HOST_SHARE:
            yield _problem(
                settings,
                key,
                f"{instance.name}: {what} needs about {needed_gib:.0f} GiB of memory, it has {instance.memory_gib:g}",
            )


def _what_works(settings: Settings, architecture: Architecture) -> str:
    request = PlanRequest(
        architecture=architecture,
        job=job_of_recipe(settings.recipe),
        tokens=round(training_tokens(settings)),
        region=settings.environment.region,
        fixed_micro_batch=True,
        max_instances=1,
    )
    on_one_gpu = [plan for plan in make_plans(request).plans if plan.instance.gpus == 1]
    if on_one_gpu:
        return f"{on_one_gpu[0].instance.name} is the cheapest type that it fits"
    smaller = replace(request.job, micro_batch=1, sequence_length=min(request.job.sequence_length, 1024))
    least = training_memory(architecture, smaller)
    return f"no single GPU fits it; with one row of 1,024 tokens it would need {least.device_bytes / GIB:.0f} GiB"


def _budget(settings: Settings, run: RunCost) -> Iterator[Problem]:
    budget = settings.environment.budget
    if run.unpriced and (budget.run_usd is not None or budget.month_usd is not None):
        yield _problem(
            settings,
            "budget",
            f"no price is known in {settings.environment.region} of {', '.join(run.unpriced)}, so that the budget "
            f"can't be kept; `tunestack prices refresh --region {settings.environment.region}` reads them",
        )
    if budget.run_usd is not None and run.expected_usd > budget.run_usd:
        dearest = max(run.jobs, key=lambda job: job.expected_usd or 0)
        yield _problem(
            settings,
            "budget.run_usd",
            f"a run is expected to cost ${run.expected_usd:,.2f} (${run.low_usd:,.2f} to ${run.ceiling_usd:,.2f}), the "
            f"budget is ${budget.run_usd:,.2f}; {dearest.step} on {dearest.instance_type} costs the most "
            f"(${dearest.expected_usd or 0:,.2f})",
        )


def _deadline(settings: Settings, architecture: Architecture | None) -> Iterator[Problem]:
    train, limit = settings.environment.jobs.train, settings.environment.budget.deadline_hours
    hours = training_hours(settings, train.instance_type, architecture)
    if hours.expected * 60 > train.max_runtime_minutes:
        yield _problem(
            settings,
            "jobs.train.max_runtime_minutes",
            f"the training is expected to take {hours.expected * 60:,.0f} minutes on {train.instance_type} "
            f"({hours.low * 60:,.0f} to {hours.high * 60:,.0f}) and would be stopped after "
            f"{train.max_runtime_minutes:,}; a larger limit, a faster type or fewer tokens work",
        )
    if limit is not None and hours.expected > limit:
        yield _problem(
            settings,
            "budget.deadline_hours",
            f"the training is expected to take {hours.expected:,.1f} h on {train.instance_type} "
            f"({hours.low:,.1f} to {hours.high:,.1f}), the deadline is {limit:g} h",
        )
