"""EventBridge beyond what ministack has: SageMaker's own events, and buses of other accounts."""

import json
import logging
from collections.abc import Mapping
from typing import Any

from tunestack.local.authorization.credentials import EVENTS, assume_as_service
from tunestack.local.authorization.enforcement import Enforcement
from tunestack.local.runner.errors import ApiError

log = logging.getLogger("tunestack")


def emit(detail_type: str, detail: Mapping[str, Any], *, resource: str, account: str, region: str) -> None:
    """Put an event of SageMaker's on an account's default bus."""
    from ministack.core.responses import request_scope
    from ministack.services import eventbridge

    entry = {
        "Source": "aws.sagemaker",
        "DetailType": detail_type,
        "Detail": json.dumps(detail, default=str),
        "Resources": [resource],
    }
    with request_scope(account, region):
        eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)


def deliver_to_other_accounts(enforcement: Enforcement) -> None:
    """Carry an event to a bus of another account, where the target's role may put it there, and the bus lets it."""
    from ministack.services import eventbridge

    deliver = eventbridge._dispatch_to_event_bus

    def delivered(spec: Any, event: Any, rule: Any, event_path: Any, payload: Any = None) -> None:
        from ministack.core.responses import get_account_id, get_region, request_scope

        if (spec.account_id, spec.region) == (get_account_id(), get_region()):
            deliver(spec, event, rule, event_path, payload)
            return
        try:
            _authorize(enforcement, str(spec), rule, account=get_account_id(), region=get_region())
        except ApiError as error:
            log.warning("EventBridge: %s got no event: %s", spec, error)
            return
        forwarded = {**event, "EventBusName": spec.resource.partition("/")[2], "_DispatchPath": []}
        if payload is not None:
            forwarded["Detail"] = payload
        with request_scope(spec.account_id, spec.region):
            eventbridge._dispatch_event(forwarded)

    eventbridge._dispatch_to_event_bus = delivered


def _authorize(enforcement: Enforcement, bus: str, rule: Mapping[str, Any], *, account: str, region: str) -> None:
    if not enforcement.enabled:
        return
    from ministack.services import eventbridge

    key = eventbridge._rule_key(rule.get("Name"), rule.get("EventBusName", "default"))
    target = next(item for item in eventbridge._targets.get(key, []) if item["Arn"] == bus)
    if "RoleArn" not in target:
        raise ApiError("AccessDeniedException", "a target in another account needs a role")
    session = assume_as_service(
        target["RoleArn"], account=account, region=region, session_name="events", service=EVENTS
    )
    enforcement.check(session.access_key, "events:PutEvents", bus, account=account, region=region)
