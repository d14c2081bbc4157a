"""An AWS Budget over what the environment's tags reach, with alerts by mail."""

from collections.abc import Sequence
from typing import Any

from aws_cdk import aws_budgets as budgets
from constructs import Construct

# Of the budget: what is forecast, and what is spent.
FORECAST_PERCENT, ACTUAL_PERCENT = 100, 80


class MonthlyBudget(Construct):
    """Counts the month's cost of every resource and job with the given tag, and mails before it is spent.

    The tag must be activated once as a cost-allocation tag in the billing console of the paying account.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        month_usd: float,
        tag: tuple[str, str],
        emails: Sequence[str],
    ) -> None:
        super().__init__(scope, construct_id)
        key, value = tag
        budgets.CfnBudget(
            self,
            "Budget",
            budget=budgets.CfnBudget.BudgetDataProperty(
                budget_name=name,
                budget_type="COST",
                time_unit="MONTHLY",
                budget_limit=budgets.CfnBudget.SpendProperty(amount=month_usd, unit="USD"),
                cost_filters={"TagKeyValue": [f"user:{key}${value}"]},
            ),
            notifications_with_subscribers=[
                _alert("FORECASTED", FORECAST_PERCENT, emails),
                _alert("ACTUAL", ACTUAL_PERCENT, emails),
            ],
        )


def _alert(kind: str, percent: int, emails: Sequence[str]) -> dict[str, Any]:
    return {
        "notification": {
            "notificationType": kind,
            "comparisonOperator": "GREATER_THAN",
            "threshold": percent,
            "thresholdType": "PERCENTAGE",
        },
        "subscribers": [{"subscriptionType": "EMAIL", "address": email} for email in emails],
    }
