"""IAM roles: ministack drops the permissions boundary."""

from collections.abc import Callable
from typing import Any


def amend_iam(table: dict[str, dict[str, Any]]) -> None:
    """Keep a role's permissions boundary."""
    role = table["AWS::IAM::Role"]
    # The properties are create's second argument and update's third.
    role["create"] = _with_boundary(role["create"], position=1)
    role["update"] = _with_boundary(role["update"], position=2)


def _with_boundary(operation: Callable[..., Any], *, position: int) -> Callable[..., Any]:
    def wrapped(*arguments: Any) -> Any:
        from ministack.services import iam

        physical_id, attributes = operation(*arguments)
        iam._roles[physical_id]["PermissionsBoundary"] = arguments[position].get("PermissionsBoundary")
        return physical_id, attributes

    return wrapped
