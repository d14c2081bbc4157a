"""What CloudFormation does for a stack, its role's policies must allow: ministack would do anything."""

import contextvars
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

from tunestack.catalogue.regions import partition_of
from tunestack.local.authorization.credentials import assume_as_service
from tunestack.local.authorization.enforcement import Enforcement
from tunestack.local.runner.errors import ApiError
from tunestack.permissions.deployment_calls import Operation, Place, calls_of

Properties = dict[str, Any]
_SERVICE = "cloudformation.amazonaws.com"
_role: contextvars.ContextVar[str | None] = contextvars.ContextVar("execution_role", default=None)
# Where a handler of ministack's table has the properties that are worked with, and the logical or physical id.
_POSITIONS: dict[Operation, tuple[int, int]] = {"create": (1, 0), "update": (2, 0), "delete": (1, 0)}


def act_as_the_stacks_role(table: dict[str, dict[str, Any]], enforcement: Enforcement) -> None:
    """Ask a stack's role for every resource that CloudFormation makes, changes or deletes with it."""
    if not enforcement.enabled:
        return
    _remember_roles()
    for kind, operations in table.items():
        for operation in _POSITIONS:
            if operation in operations and kind.startswith("AWS::"):
                operations[operation] = _asking(operations[operation], kind, operation, enforcement)


def _remember_roles() -> None:
    """Keep the role that a stack was last given, as CloudFormation does, for the requests that don't name it."""
    import ministack.app as ministack
    from ministack.core.responses import get_account_id, get_region

    answer = ministack.SERVICE_HANDLERS["cloudformation"]
    roles: dict[tuple[str, str, str], str] = {}

    async def with_role(method: str, path: str, headers: Any, body: bytes, query: Any) -> Any:
        given = {**{key: _first(value) for key, value in query.items()}, **_form(body)}
        # A stack is named by its name, or by its ARN.
        name = given.get("StackName", "").partition(":stack/")[2].partition("/")[0] or given.get("StackName", "")
        place = (get_account_id(), get_region(), name)
        if "RoleARN" in given:
            roles[place] = given["RoleARN"]
        _role.set(roles.get(place))
        return await answer(method, path, headers, body, query)

    ministack.SERVICE_HANDLERS["cloudformation"] = with_role


def _first(value: Any) -> str:
    return str(value[0] if isinstance(value, list) else value)


def _form(body: bytes) -> dict[str, str]:
    return {key: values[0] for key, values in parse_qs(body.decode("utf-8", "replace")).items()}


def _asking(handler: Callable[..., Any], kind: str, operation: Operation, enforcement: Enforcement) -> Any:
    properties_at, id_at = _POSITIONS[operation]

    def asked(*arguments: Any, **options: Any) -> Any:
        if role := _role.get():
            stack = arguments[2] if operation == "create" else ""
            name = f"{stack}-{arguments[id_at]}" if stack else str(arguments[id_at])
            _ask(role, kind, arguments[properties_at], operation, name, enforcement)
        return handler(*arguments, **options)

    return asked


def _ask(
    role: str, kind: str, properties: Properties, operation: Operation, name: str, enforcement: Enforcement
) -> None:
    """Refuse, as the deployment's failure, what the role may not do."""
    from ministack.core.responses import get_account_id, get_region

    account, region = get_account_id(), get_region()
    key = assume_as_service(role, account=account, region=region, session_name="AWSCloudFormation", service=_SERVICE)
    place = Place(partition=partition_of(region), region=region, account=account)
    for action, arn in calls_of(kind, properties, operation=operation, place=place, default_name=name):
        try:
            enforcement.check(key.access_key, action, arn, account=account, region=region)
        except ApiError as error:
            raise ValueError(f"{kind}: {error}") from None
