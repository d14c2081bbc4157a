"""The month's budget for a run: what stands, what was started since the month began, and what this one adds."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import takewhile

from tunestack.aws import Aws
from tunestack.costs.run import RunCost
from tunestack.executions.describe import list_executions
from tunestack.layout import RUN_EXPECTED_USD_OUTPUT, STANDING_USD_OUTPUT, StackName
from tunestack.money import usd
from tunestack.planning.checks import FailedCheck
from tunestack.settings import Problem


def failed_budget(aws: Aws, run: RunCost, *, now: datetime | None = None) -> Iterator[FailedCheck]:
    """The month's budget, where a run would exceed it; earlier runs count as the deployed pipeline expects them."""
    budget_usd = aws.settings.environment.budget.month_usd
    if budget_usd is None:
        return
    began = (now or datetime.now(UTC)).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    this_month = takewhile(lambda item: datetime.fromisoformat(item["started"]) >= began, list_executions(aws))
    earlier = sum(1 for _ in this_month)
    # The stacks that an environment hasn't cost nothing.
    outputs = {stack: aws.outputs(stack) or {} for stack in StackName}
    # Where the deployed pipeline doesn't say it, a run costs what this one does.
    each_usd = float(outputs[StackName.PIPELINE].get(RUN_EXPECTED_USD_OUTPUT, run.expected_usd))
    standing_usd = sum(float(found.get(STANDING_USD_OUTPUT, 0)) for found in outputs.values())
    total_usd = standing_usd + earlier * each_usd + run.expected_usd
    if total_usd <= budget_usd:
        return
    message = (
        f"with this run at {usd(run.expected_usd)} the month would come to {usd(total_usd)}: {earlier} earlier runs "
        f"at about {usd(each_usd)} and {usd(standing_usd)} for the stacks; the budget is {usd(budget_usd)}"
    )
    problem = Problem(file=aws.settings.file, key="budget.month_usd", message=message)
    yield FailedCheck(check="budget", problem=problem)
