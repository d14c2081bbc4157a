"""`AWS::Events::EventBusPolicy`: who may put events on a bus."""

from typing import Any

Properties = dict[str, Any]


def event_handlers() -> dict[str, dict[str, Any]]:
    """The handlers of the type."""
    return {
        "AWS::Events::EventBusPolicy": {
            "create": lambda logical_id, properties, stack: _put(properties),
            "update": lambda physical_id, old, new, stack: _put(new),
            "delete": _remove,
        }
    }


def _put(properties: Properties) -> tuple[str, Properties]:
    from ministack.services import eventbridge

    bus, name = properties.get("EventBusName", "default"), properties["StatementId"]
    policy = eventbridge._event_bus_policies.get(bus) or {"Version": "2012-10-17", "Statement": []}
    others = [item for item in policy["Statement"] if item.get("Sid") != name]
    eventbridge._event_bus_policies[bus] = policy | {"Statement": [*others, properties["Statement"] | {"Sid": name}]}
    return f"{bus}|{name}", {}


def _remove(physical_id: str, properties: Properties) -> None:
    from ministack.services import eventbridge

    bus, _, name = physical_id.partition("|")
    if policy := eventbridge._event_bus_policies.get(bus):
        policy["Statement"] = [item for item in policy["Statement"] if item.get("Sid") != name]
