"""What stops a synthesis before money is spent: memory, budget, deadline. Each says its figures and what would work."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tunestack.catalogue import find_instance_price, instance_types
from tunestack.costs.job_hours import Hours, architecture_of, training_hours
from tunestack.costs.run import RunCost, run_cost
from tunestack.errors import nearest
from tunestack.planning.memory_gates import memory_problems
from tunestack.settings import Problem, Settings, SettingsError
from tunestack.sizing.model.architecture import Architecture

GATES = ("memory", "budget", "deadline")
# Shorter times are said in minutes.
MINUTES_BELOW_HOURS = 2


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
        found += _as("memory", memory_problems(settings, architecture))
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
    hours = _hours(settings, architecture)
    for key, limit_hours, what in _time_limits(settings):
        if hours.expected > limit_hours:
            faster = _fast_enough(settings, architecture, limit_hours)
            yield _problem(settings, key, f"the training is expected to take {_in_words(hours)} {what}; {faster}")


def time_risks(settings: Settings, architecture: Architecture | None = None) -> tuple[str, ...]:
    """Limits that the training is expected to keep, and may miss: a line for each."""
    hours = _hours(settings, architecture or architecture_of(settings))
    return tuple(
        str(_problem(settings, key, f"the training may take longer than is allowed: {_in_words(hours)} {what}"))
        for key, limit_hours, what in _time_limits(settings)
        if hours.expected <= limit_hours < hours.high
    )


def _hours(settings: Settings, architecture: Architecture | None) -> Hours:
    return training_hours(settings, settings.environment.jobs.train.instance_type, architecture)


def _time_limits(settings: Settings) -> Iterator[tuple[str, float, str]]:
    """Key, hours, and what the limit means, after the expected time."""
    train, deadline_hours = settings.environment.jobs.train, settings.environment.budget.deadline_hours
    on = f"on {train.instance_type}"
    limit_hours = train.max_runtime_minutes / 60
    yield "jobs.train.max_runtime_minutes", limit_hours, f"{on}, and would be stopped after {_time(limit_hours)}"
    if deadline_hours is not None:
        yield "budget.deadline_hours", deadline_hours, f"{on}, the deadline is {_time(deadline_hours)}"


def _fast_enough(settings: Settings, architecture: Architecture | None, limit_hours: float) -> str:
    """The cheapest type on which the training is expected to end in time."""
    region, found = settings.environment.region, []
    for instance in instance_types().values():
        if instance.gpu is None or "training" not in instance.allowed_for:
            continue
        hours = training_hours(settings, instance.name, architecture).expected
        price = find_instance_price(instance.name, "training", region=region)
        if price and hours <= limit_hours:
            found.append((price.usd * hours, instance.name, hours))
    if not found:
        return "no type is fast enough; fewer tokens or a larger limit work"
    _, name, hours = min(found)
    return f"{name} is the cheapest type that is fast enough ({_time(hours)})"


def _in_words(hours: Hours) -> str:
    return f"{_time(hours.expected)} ({_time(hours.low)} to {_time(hours.high)})"


def _time(hours: float) -> str:
    if hours < MINUTES_BELOW_HOURS:
        return f"{hours * 60:,.0f} min"
    return f"{round(hours, 1):,} h".replace(".0 h", " h")
