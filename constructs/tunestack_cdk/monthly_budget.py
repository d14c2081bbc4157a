"""An AWS Budget over what the environment's tags reach, with alerts by mail."""

from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import aws_budgets as budgets
from constructs import Construct

# Of the budget: what is forecast, and what is spent.
FORECAST_PERCENT, ACTUAL_PERCENT = 100, 80


class MonthlyBudget(Construct):
    """Counts the month's cost of what has all of the tags in a region, and mails before it is spent.

    Each tag must be activated once as a cost-allocation tag in the billing console of the paying account.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        month_usd: float,
        tags: Mapping[str, str],
        region: str,
        emails: Sequence[str],
    ) -> None:
        super().__init__(scope, construct_id)
        budgets.CfnBudget(
            self,
            "Budget",
            budget=budgets.CfnBudget.BudgetDataProperty(
                budget_name=name,
                budget_type="COST",
                time_unit="MONTHLY",
                budget_limit=budgets.CfnBudget.SpendProperty(amount=month_usd, unit="USD"),
                # Filters of the older kind are met by any one tag of theirs.
                filter_expression=budgets.CfnBudget.ExpressionProperty(
                    and_=[
                        *(budgets.CfnBudget.ExpressionProperty(tags=_of_tag(key, tags[key])) for key in sorted(tags)),
                        budgets.CfnBudget.ExpressionProperty(dimensions=_of_region(region)),
                    ]
                ),
                metrics=["UnblendedCost"],
            ),
            notifications_with_subscribers=[
                _alert("FORECASTED", FORECAST_PERCENT, emails),
                _alert("ACTUAL", ACTUAL_PERCENT, emails),
            ],
        )


def _of_tag(key: str, value: str) -> budgets.CfnBudget.TagValuesProperty:
    return budgets.CfnBudget.TagValuesProperty(key=key, values=[value], match_options=["EQUALS"])


def _of_region(region: str) -> budgets.CfnBudget.ExpressionDimensionValuesProperty:
    return budgets.CfnBudget.ExpressionDimensionValuesProperty(key="REGION", values=[region], match_options=["EQUALS"])


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
