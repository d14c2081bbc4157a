"""What watches an environment: the month's budget."""

from typing import Any

from aws_cdk import Stack
from constructs import Construct
from tunestack_cdk.monthly_budget import MonthlyBudget

from tunestack.pipeline.resources import own_tags
from tunestack.settings.loading import Settings


class ObservabilityStack(Stack):
    """The budget and its alerts, for an environment that names a month's limit and whom to tell."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings, **kwargs: Any) -> None:
        super().__init__(scope, construct_id, **kwargs)
        budget = settings.environment.budget
        assert budget.month_usd is not None
        MonthlyBudget(
            self,
            "MonthlyBudget",
            name=settings.names.budget(settings.environment.region),
            month_usd=budget.month_usd,
            tags=own_tags(settings),
            region=settings.environment.region,
            emails=budget.alert_emails,
        )
