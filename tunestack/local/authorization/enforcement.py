"""ministack's evaluator, for callers that it doesn't see: and every decision of it in the ledger."""

import contextvars
import json
from collections.abc import Callable, Mapping
from typing import Any

from tunestack.local.authorization.ledger import Entry, Ledger
from tunestack.local.runner.errors import ApiError

# The access key of the request that is being served: S3's handlers ask KMS with it.
request_access_key: contextvars.ContextVar[str | None] = contextvars.ContextVar("request_access_key", default=None)


class Enforcement:
    """Whether requests are authorized, and how; without it everybody may do everything."""

    def __init__(self, ledger: Ledger, *, enabled: bool) -> None:
        self.enabled = enabled
        # Resource policies of SageMaker: (policy, owner) of an ARN. The service sets it.
        self.group_policy: Callable[[str], tuple[str, str] | None] = lambda arn: None
        self._ledger = ledger

    def install(self) -> None:
        """Record ministack's own decisions, remember each request's caller, and take this machine's HTTP for TLS.

        Nothing but loopback reaches the emulator; policies that want TLS would refuse every call otherwise.
        """
        if not self.enabled:
            return
        import ministack.app as application
        from ministack.core import iam_actions, iam_evaluator
        from ministack.core.router import extract_access_key_id

        keys_of_request = iam_actions.request_tag_context

        def request_keys(service: str, action: str, body: bytes, params: Any) -> dict[str, Any]:
            return {**keys_of_request(service, action, body, params), **_metric_namespace(action, body)}

        iam_actions.request_tag_context = request_keys
        decide, remember = iam_evaluator.enforce, iam_evaluator.pin_request_caller
        pin_origin = iam_evaluator.pin_request_origin

        def recorded(access_key: str, action: str, service: str, region: str, resource_arn: str = "*",
                     service_context: Mapping[str, Any] | None = None) -> Any:  # fmt: skip
            denied = decide(access_key, action, service, region, resource_arn=resource_arn,
                            service_context=dict(service_context or {}))  # fmt: skip
            self.record(access_key, action, resource_arn, service_context or {}, allowed=denied is None)
            return denied

        def remembered(headers: Any, query_params: Any = None) -> None:
            request_access_key.set(extract_access_key_id(headers, query_params))
            remember(headers, query_params)

        iam_evaluator.enforce = recorded
        iam_evaluator.pin_request_caller = remembered
        application.pin_request_origin = lambda source_ip, _: pin_origin(source_ip, True)

    def check(
        self,
        access_key: str,
        action: str,
        resource_arn: str,
        *,
        account: str,
        region: str,
        context: Mapping[str, Any] | None = None,
    ) -> None:
        """Refuse what the caller may not do.

        Raises:
            ApiError: AccessDeniedException, in AWS's words.
        """
        if not self.enabled:
            return
        from ministack.core import iam_evaluator
        from ministack.core.iam_actions import identity_denial_message
        from ministack.core.responses import request_scope

        service = action.partition(":")[0]
        with request_scope(account, region):
            denied = iam_evaluator.enforce(
                access_key, action, service, region, resource_arn=resource_arn, service_context=dict(context or {})
            )
        if denied is None:
            return
        if isinstance(denied, iam_evaluator.AuthError):
            raise ApiError(denied.code, denied.message)
        explicit = denied.decision == "Deny"
        message = identity_denial_message(action, denied.principal_arn, resource_arn, explicit)
        raise ApiError("AccessDeniedException", message)

    def record(self, access_key: str, action: str, resource: str, context: Mapping[str, Any], *, allowed: bool) -> None:
        """Keep a decision on what a role's session wanted."""
        from ministack.services import sts

        session = sts._sessions.get(access_key)
        if session is not None:
            kept = {key.lower(): value for key, value in context.items()}
            arn = str(session["Arn"])
            self._ledger.add(Entry(principal=arn, action=action, resource=resource, allowed=allowed, context=kept))


def _metric_namespace(action: str, body: bytes) -> dict[str, str]:
    """The condition key of PutMetricData, which ministack doesn't give to its evaluator."""
    if action != "cloudwatch:PutMetricData":
        return {}
    try:
        return {"cloudwatch:namespace": json.loads(body)["Namespace"]}
    except (ValueError, KeyError):
        return {}
