"""What stops a synthesis or a run before money is spent: memory, budget, deadline; each with what would work."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tunestack.catalogue import find_instance_price, instance_types
from tunestack.catalogue.models import model_configs
from tunestack.costs.job_hours import Hours, training_hours
from tunestack.definition.jobs import DefinedJob
from tunestack.errors import nearest
from tunestack.money import total_usd, usd
from tunestack.planning.blueprint import Blueprint
from tunestack.planning.memory_checks import memory_problems
from tunestack.settings.loading import Settings
from tunestack.settings.problems import Problem, SettingsError

# Where nothing is paid and this machine's memory counts: the environment of the local AWS.
UNPAID_ENVIRONMENT = "local"
CHECKS = ("memory", "budget", "deadline")
# How a check is waived: of a synthesis, and of a command.
OF_SYNTHESIS, OF_COMMAND = "-c allow=", "--allow "
# Shorter times are said in minutes.
MINUTES_BELOW_HOURS = 2


@dataclass(frozen=True, kw_only=True)
class FailedCheck:
    """A check that isn't passed, and why."""

    check: str
    problem: Problem


def failed_checks(blueprint: Blueprint) -> list[FailedCheck]:
    """Every check that isn't passed."""
    if blueprint.workload.architecture is None and blueprint.settings.name != UNPAID_ENVIRONMENT:
        return _of_an_unknown_model(blueprint)
    return [
        *_as("memory", memory_problems(blueprint)),
        *_as("budget", _budget(blueprint)),
        *_as("deadline", _deadline(blueprint)),
    ]


def _of_an_unknown_model(blueprint: Blueprint) -> list[FailedCheck]:
    """What can't be said of a model of unknown size is no pass: each check that would need it is one to waive."""
    settings, budget = blueprint.settings, blueprint.settings.environment.budget
    name = settings.recipe.model.name_or_path
    way = f"{nearest(name, model_configs())}, or name its config.json under costs.config_json"
    unknown = {
        "memory": (settings.recipe_file, "model.name_or_path", "whether its jobs fit their instances isn't known"),
    }
    if budget.run_usd is not None or budget.month_usd is not None:
        unknown["budget"] = (settings.file, "budget", "what a run costs isn't known, so that the budget can't be kept")
    key = "jobs.train.max_runtime_minutes" if budget.deadline_hours is None else "budget.deadline_hours"
    unknown["deadline"] = (settings.file, key, "whether the training ends before it is stopped isn't known")
    return [
        FailedCheck(
            check=check, problem=Problem(file=file, key=key, message=f"the size of {name} isn't known: {what}; {way}")
        )
        for check, (file, key, what) in unknown.items()
    ]


def failed_month_checks(blueprint: Blueprint, *, standing_usd: float | None) -> list[FailedCheck]:
    """The month's budget, once the stacks and so their standing cost are known."""
    budget, run = blueprint.settings.environment.budget, blueprint.run
    if run.expected_usd is None:
        # A run without a price is another check's to name.
        return []
    return month_budget_missed(
        blueprint.settings,
        runs_usd=run.expected_usd * budget.runs_per_month,
        standing_usd=standing_usd,
        message="a month is expected to cost {month}: "
        f"{budget.runs_per_month} runs at {usd(run.expected_usd)} and {usd(standing_usd)} for the stacks",
    )


def month_budget_missed(
    settings: Settings, *, runs_usd: float | None, standing_usd: float | None, message: str
) -> list[FailedCheck]:
    """The month's budget, where runs and stacks exceed it, or nobody knows what the runs cost.

    Where the stacks' own cost isn't known, what is known is held to the budget. `message` names the month's cost as
    `{month}`.
    """
    budget_usd = settings.environment.budget.month_usd
    month_usd = total_usd((standing_usd or 0.0, runs_usd))
    if budget_usd is None or (month_usd is not None and month_usd <= budget_usd):
        return []
    said = f"{message.replace('{month}', usd(month_usd))}; the budget is {usd(budget_usd)}"
    return [FailedCheck(check="budget", problem=_problem(settings, "budget.month_usd", said))]


def waive(failed: Iterable[FailedCheck], *, allow: Iterable[str], by: str = OF_SYNTHESIS) -> tuple[str, ...]:
    """Raise what isn't allowed; what is waived, as lines to record, in the words of the option that it is waived `by`.

    Raises:
        SettingsError: a check that isn't passed, or an unknown name in `allow`.
    """
    allowed = set(allow)
    if unknown := sorted(allowed - set(CHECKS)):
        hint = nearest(unknown[0], CHECKS)
        raise SettingsError([Problem(file=by.rstrip("= "), message=f"no check {unknown[0]!r}; {hint}")])
    found = list(failed)
    stopping = [item.problem for item in found if item.check not in allowed]
    if stopping:
        raise SettingsError(stopping)
    return tuple(f"waived by {by}{item.check}: {item.problem}" for item in found)


def time_risks(blueprint: Blueprint) -> tuple[str, ...]:
    """Limits that a training is expected to keep, and may miss: a line for each."""
    return tuple(
        str(
            _problem(
                blueprint.settings, key, f"the training may take longer than is allowed: {_in_words(hours)} {what}"
            )
        )
        for hours, key, limit, what in _time_limits(blueprint)
        if hours.expected <= limit < hours.high
    )


def _as(check: str, problems: Iterator[Problem]) -> list[FailedCheck]:
    return [FailedCheck(check=check, problem=problem) for problem in problems]


def _problem(settings: Settings, key: str, message: str) -> Problem:
    return Problem(file=settings.file, key=key, message=message)


def _budget(blueprint: Blueprint) -> Iterator[Problem]:
    settings, run = blueprint.settings, blueprint.run
    budget, region = settings.environment.budget, settings.environment.region
    if run.unpriced and (budget.run_usd is not None or budget.month_usd is not None):
        yield _problem(
            settings,
            "budget",
            f"no price is known in {region} of {', '.join(run.unpriced)}, so that the budget can't be kept; "
            f"`tunestack prices refresh --region {region}` reads them",
        )
    if budget.run_usd is not None and run.expected_usd is not None and run.expected_usd > budget.run_usd:
        most = max(run.jobs, key=lambda job: job.expected_usd or 0)
        yield _problem(
            settings,
            "budget.run_usd",
            f"a run is expected to cost {usd(run.expected_usd)} ({usd(run.low_usd)} to {usd(run.ceiling_usd)}), the "
            f"budget is {usd(budget.run_usd)}; {most.step} on {most.instance_type} costs the most "
            f"({usd(most.expected_usd or 0)})",
        )


def _deadline(blueprint: Blueprint) -> Iterator[Problem]:
    for hours, key, limit, what in _time_limits(blueprint):
        if hours.expected > limit:
            message = f"the training is expected to take {_in_words(hours)} {what}; {_fast_enough(blueprint, limit)}"
            yield _problem(blueprint.settings, key, message)


def _time_limits(blueprint: Blueprint) -> Iterator[tuple[Hours, str, float, str]]:
    """Of each training: its hours, the limit's key and hours, and what it means, after the expected time."""
    deadline_hours = blueprint.settings.environment.budget.deadline_hours
    for defined in _trainings(blueprint):
        hours = training_hours(blueprint.workload, defined.instance_type)
        if hours is None:
            continue
        on, limit = f"on {defined.instance_type}", defined.max_runtime_seconds / 3600
        key = f"jobs.{defined.job.setting}.max_runtime_minutes"
        yield hours, key, limit, f"{on}, and would be stopped after {_time(limit)}"
        if deadline_hours is not None:
            yield hours, "budget.deadline_hours", deadline_hours, f"{on}, the deadline is {_time(deadline_hours)}"


def _trainings(blueprint: Blueprint) -> list[DefinedJob]:
    return [defined for defined in blueprint.jobs if defined.job.hours == "training"]


def _fast_enough(blueprint: Blueprint, limit: float) -> str:
    """The cheapest type on which the training is expected to end in time."""
    found = []
    for instance in instance_types().values():
        if instance.gpu is None or instance.gpus > 1 or "training" not in instance.allowed_for:
            continue
        hours = training_hours(blueprint.workload, instance.name)
        price = find_instance_price(instance.name, "training", region=blueprint.workload.region)
        if price and hours and hours.expected <= limit:
            found.append((price.usd * hours.expected, instance.name, hours.expected))
    if not found:
        return "no type is fast enough; fewer tokens or a larger limit work"
    _, name, expected = min(found)
    return f"{name} is the cheapest type that is fast enough ({_time(expected)})"


def _in_words(hours: Hours) -> str:
    return f"{_time(hours.expected)} ({_time(hours.low)} to {_time(hours.high)})"


def _time(hours: float) -> str:
    if hours < MINUTES_BELOW_HOURS:
        return f"{hours * 60:,.0f} min"
    return f"{round(hours, 1):,} h".replace(".0 h", " h")
