"""The month's budget for a run: what stands, what was started since the month began, and what this one adds."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import takewhile

from tunestack.aws import Aws
from tunestack.costs.run import RunCost
from tunestack.costs.stack_cost import UNKNOWN
from tunestack.executions.describe import list_executions
from tunestack.layout import RUN_EXPECTED_USD_OUTPUT, STANDING_USD_OUTPUT, StackName
from tunestack.money import total_usd, usd
from tunestack.planning.checks import FailedCheck, month_budget_missed


def failed_budget(aws: Aws, run: RunCost, *, now: datetime | None = None) -> Iterator[FailedCheck]:
    """The month's budget, where a run would exceed it; earlier runs count as the deployed pipeline expects them."""
    if aws.settings.environment.budget.month_usd is None:
        return
    began = (now or datetime.now(UTC)).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    this_month = takewhile(lambda item: datetime.fromisoformat(item["started"]) >= began, list_executions(aws))
    earlier = sum(1 for _ in this_month)
    # The stacks that an environment hasn't cost nothing.
    outputs = {stack: aws.outputs(stack) or {} for stack in StackName}
    # Where the deployed pipeline doesn't say it, a run costs what this one does.
    each_usd = _read(outputs[StackName.PIPELINE].get(RUN_EXPECTED_USD_OUTPUT), otherwise=run.expected_usd)
    standing_usd = total_usd(_read(found.get(STANDING_USD_OUTPUT), otherwise=0.0) for found in outputs.values())
    earlier_usd = None if each_usd is None else earlier * each_usd
    yield from month_budget_missed(
        aws.settings,
        runs_usd=total_usd((earlier_usd, run.expected_usd)),
        standing_usd=standing_usd,
        message=f"with this run at {usd(run.expected_usd)} the month would come to {{month}}: {earlier} earlier runs "
        f"at about {usd(each_usd)} and {usd(standing_usd)} for the stacks",
    )


def _read(output: str | None, *, otherwise: float | None) -> float | None:
    """A stack's figure: None where it says that it is unknown."""
    if output is None:
        return otherwise
    return None if output == UNKNOWN else float(output)
