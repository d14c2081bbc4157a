"""MonthlyBudget: counts what has the environment's tag, and mails before it is spent."""

from typing import Any

from aws_cdk import Stack
from aws_cdk.assertions import Match
from tunestack_cdk.monthly_budget import MonthlyBudget


def test_it_counts_the_tag_and_mails_a_forecast_and_a_share_spent(stack: Stack, template: Any) -> None:
    MonthlyBudget(
        stack,
        "Budget",
        name="month",
        month_usd=500,
        tags={"project": "kit", "environment": "prod"},
        region="us-east-1",
        emails=["a@example.com"],
    )
    alerts = [
        {
            "NotificationType": kind,
            "Threshold": percent,
            "ThresholdType": "PERCENTAGE",
            "ComparisonOperator": "GREATER_THAN",
        }
        for kind, percent in (("FORECASTED", 100), ("ACTUAL", 80))
    ]
    template().has_resource_properties(
        "AWS::Budgets::Budget",
        {
            "Budget": Match.object_like(
                {
                    "BudgetLimit": {"Amount": 500, "Unit": "USD"},
                    "FilterExpression": {
                        "And": [
                            {"Tags": {"Key": "environment", "Values": ["prod"], "MatchOptions": ["EQUALS"]}},
                            {"Tags": {"Key": "project", "Values": ["kit"], "MatchOptions": ["EQUALS"]}},
                            {"Dimensions": {"Key": "REGION", "Values": ["us-east-1"], "MatchOptions": ["EQUALS"]}},
                        ]
                    },
                    "Metrics": ["UnblendedCost"],
                    "TimeUnit": "MONTHLY",
                }
            ),
            "NotificationsWithSubscribers": [
                {"Notification": alert, "Subscribers": [{"Address": "a@example.com", "SubscriptionType": "EMAIL"}]}
                for alert in alerts
            ],
        },
    )
