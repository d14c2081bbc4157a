"""The month's budget at `tunestack run`: what stands, what was started this month, and what the run adds."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from tests.conftest import ACCOUNTS, ENVIRONMENTS
from tunestack.aws import Aws
from tunestack.executions.describe import find_execution, list_executions
from tunestack.executions.errors import ExecutionError
from tunestack.executions.month import failed_budget
from tunestack.layout import StackName
from tunestack.planning.blueprint import blueprint_of
from tunestack.settings.loading import load_settings

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
ARN = "arn:aws:sagemaker:us-east-1:123456789012:pipeline/tunestack-prod-fine-tuning/execution"


class Deployed(Aws):
    """An environment whose stacks have these outputs."""

    def outputs(self, stack: StackName) -> dict[str, str] | None:
        found = {"pipeline": {"RunExpectedUsd": "4.00", "StandingUsdPerMonth": "0.00"}, "storage": {}}
        return {"network": {"StandingUsdPerMonth": "60.00"}, **found}.get(stack)


def aws(*pages: list[datetime], month_usd: float | None = 100.0) -> Deployed:
    """With executions that were started then, newest first, in pages as the service gives them."""
    settings = load_settings("prod")
    budget = settings.environment.budget.model_copy(update={"month_usd": month_usd})
    found = Deployed(replace(settings, environment=settings.environment.model_copy(update={"budget": budget})))
    client = boto3.client("sagemaker", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="y")
    stub, number = Stubber(client), 0
    for index, page in enumerate(pages):
        summaries = []
        for start in page:
            number += 1
            summaries.append({
                "PipelineExecutionArn": f"{ARN}/{number:012d}", "StartTime": start,
                "PipelineExecutionStatus": "Succeeded",
            })  # fmt: skip
        more: dict[str, Any] = {"NextToken": f"page{index + 1}"} if index + 1 < len(pages) else {}
        stub.add_response("list_pipeline_executions", {"PipelineExecutionSummaries": summaries, **more})
    stub.activate()
    found.__dict__["sagemaker"] = client
    return found


def days_ago(*days: int) -> list[datetime]:
    return [NOW - timedelta(days=each) for each in days]


def problems(environment: Aws) -> list[str]:
    return [str(item.problem) for item in failed_budget(environment, blueprint_of(environment.settings).run, now=NOW)]


def test_a_run_that_the_month_has_room_for_passes() -> None:
    assert problems(aws(days_ago(1, 2, *[25] * 20))) == []
    assert problems(aws(month_usd=None)) == []


def test_a_run_beyond_the_month_s_budget_says_what_it_is_made_of() -> None:
    (found,) = problems(aws(days_ago(*[1] * 6), days_ago(*[2] * 5, 25)))
    assert "config/prod.yaml: budget.month_usd: with this run at $3." in found
    assert "11 earlier runs at about $4.00 and $60.00 for the stacks; the budget is $100.00" in found


def test_executions_are_found_on_every_page() -> None:
    assert [item["id"][-1] for item in list_executions(aws(days_ago(1, 2), days_ago(3)))] == ["1", "2", "3"]
    assert find_execution(aws(days_ago(1, 2), days_ago(3)), "000000000003") == f"{ARN}/000000000003"
    with pytest.raises(ExecutionError, match="no execution 'x'; .* the latest is 000000000001"):
        find_execution(aws(days_ago(1), days_ago(3)), "x")


def test_every_stack_that_an_environment_has_counts_towards_its_month(assembly: Any) -> None:
    names = {name.rpartition("-")[2] for env in (*ENVIRONMENTS, ACCOUNTS) for name in assembly(env).templates}
    assert names == set(StackName)
