"""The month's budget for a run: what stands, what was started since the month began, and what this one adds."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import takewhile

from tunestack.aws import Aws
from tunestack.costs.run import RunCost
from tunestack.executions.describe import list_executions
from tunestack.planning.gates import GateProblem
from tunestack.settings import Problem

# Every stack that an environment may have; the ones that it hasn't cost nothing.
STACKS = ("storage", "network", "images", "registry", "pipeline", "observability")


def started_problems(aws: Aws, run: RunCost, *, now: datetime | None = None) -> Iterator[GateProblem]:
    """The month's budget, where a run would exceed it; earlier runs count as the deployed pipeline expects them."""
    budget_usd = aws.settings.environment.budget.month_usd
    if budget_usd is None:
        return
    began = (now or datetime.now(UTC)).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    this_month = takewhile(lambda item: datetime.fromisoformat(item["started"]) >= began, list_executions(aws))
    earlier = sum(1 for _ in this_month)
    outputs = {stack: aws.outputs(stack) or {} for stack in STACKS}
    # Where the deployed pipeline doesn't say it, a run costs what this one does.
    each_usd = float(outputs["pipeline"].get("RunExpectedUsd", run.expected_usd))
    standing_usd = sum(float(found.get("StandingUsdPerMonth", 0)) for found in outputs.values())
    total_usd = standing_usd + earlier * each_usd + run.expected_usd
    if total_usd <= budget_usd:
        return
    message = (
        f"with this run at ${run.expected_usd:,.2f} the month would come to ${total_usd:,.2f}: {earlier} earlier runs "
        f"at about ${each_usd:,.2f} and ${standing_usd:,.2f} for the stacks; the budget is ${budget_usd:,.2f}"
    )
    file = f"config/{aws.settings.name}.yaml"
    yield GateProblem(gate="budget", problem=Problem(file=file, key="budget.month_usd", message=message))
