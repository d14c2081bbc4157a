"""AWS::Budgets::Budget, kept by ministack's own Budgets service."""

import json
from typing import Any

Properties = dict[str, Any]


def budget_handlers() -> dict[str, dict[str, Any]]:
    """The handler of the type that ministack's CloudFormation lacks."""
    return {"AWS::Budgets::Budget": {"create": _create, "update": _update, "delete": _delete}}


def _create(logical_id: str, properties: Properties, stack: str) -> tuple[str, Properties]:
    from ministack.services import budgets

    budget = json.loads(json.dumps(properties["Budget"]))
    name: str = budget.setdefault("BudgetName", f"{stack}-{logical_id}")
    # CloudFormation takes a number, the service's API a string.
    budget["BudgetLimit"]["Amount"] = str(budget["BudgetLimit"]["Amount"])
    alerts = properties.get("NotificationsWithSubscribers", [])
    _checked(budgets._create_budget({"Budget": budget, "NotificationsWithSubscribers": alerts}))
    return name, {}


def _update(physical_id: str, old: Properties, new: Properties, stack: str) -> tuple[str, Properties]:
    _delete(physical_id, old)
    return _create(physical_id, new, stack)


def _delete(physical_id: str, properties: Properties) -> None:
    from ministack.services import budgets

    _checked(budgets._delete_budget({"BudgetName": physical_id}))


def _checked(answer: tuple[int, Any, bytes]) -> None:
    status, _, body = answer
    if status >= 400:
        raise ValueError(body.decode() if isinstance(body, bytes) else str(body))
