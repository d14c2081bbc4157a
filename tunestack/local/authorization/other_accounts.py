"""What ministack knows of one account alone: whose a resource is, its owner's policy, and who really asks for it.

A request for something of another account needs both: the caller's own policies, and the owner's.
"""

import json
import re
from collections.abc import Mapping
from functools import partial
from typing import Any

from tunestack.local.authorization.enforcement import Enforcement, request_access_key
from tunestack.permissions.arn import Owner, of_account
from tunestack.permissions.evaluator import Request, resource_decision


def reach_other_accounts(enforcement: Enforcement) -> None:
    """Look up each resource's policy where its owner keeps it, and judge another account's callers by their ARNs."""
    if not enforcement.enabled:
        return
    from ministack.core import iam_actions, iam_evaluator
    from ministack.services import s3

    policy, key, arn = (
        iam_evaluator._resource_policy,
        iam_evaluator._resolve_condition_key,
        iam_actions.extract_resource_arn,
    )

    def resource_policy(service: str, resource_arn: str) -> Any:
        from ministack.core.responses import get_account_id, get_region, request_scope

        owner = Owner.of(resource_arn) or Owner(get_account_id(), get_region())
        with request_scope(owner.account, owner.region or get_region()):
            if service == "events":
                return _bus_policy(resource_arn)
            if service == "sagemaker":
                return enforcement.group_policy(resource_arn)
            return policy(service, resource_arn)

    def condition_key(name: str, context: Any) -> Any:
        if name.lower() == "aws:resourceaccount" and context.resource_arn.startswith("arn:aws:s3:::"):
            bucket = context.resource_arn.removeprefix("arn:aws:s3:::").partition("/")[0]
            return s3._bucket_owner_account(bucket) or context.principal_account
        if name.lower() == "aws:principalarn":
            return _role_of(context.principal_arn)
        return key(name, context)

    def extract_arn(service: str, method: str, path: str, headers: Any, body: bytes, *rest: Any, **options: Any) -> Any:
        found = arn(service, method, path, headers, body, *rest, **options)
        owner = registry_of(body) if service == "ecr" else None
        return of_account(found, owner) if owner else found

    iam_evaluator._resource_policy = resource_policy
    iam_evaluator._resolve_condition_key = condition_key
    iam_actions.extract_resource_arn = extract_arn
    s3._foreign_bucket_allows = partial(_bucket_allows, enforcement)
    _serve_other_registries()


def _role_of(arn: str) -> str:
    """What aws:PrincipalArn is: of a role's session the role, where ministack has the session."""
    session = re.fullmatch(r"arn:(?P<partition>[^:]+):sts::(?P<account>\d+):assumed-role/(?P<role>[^/]+)/.+", arn)
    return f"arn:{session['partition']}:iam::{session['account']}:role/{session['role']}" if session else arn


def registry_of(body: bytes) -> str | None:
    """The account whose registry a request of ECR's names, or None where it is the caller's."""
    try:
        found = json.loads(body).get("registryId")
    except (ValueError, AttributeError):
        return None
    return str(found) if found else None


def account_of_caller() -> str:
    """The account of whoever makes the request that is being served."""
    from ministack.services import s3

    account: str = s3._account_from_access_key(request_access_key.get() or "")
    return account


def _bus_policy(arn: str) -> tuple[str, str] | None:
    from ministack.core.responses import get_account_id
    from ministack.services import eventbridge

    policy = eventbridge._event_bus_policies.get(arn.rpartition("/")[2])
    if not policy:
        return "", get_account_id()
    # PutPermission's principal is an account's number.
    statements = [
        {**item, "Principal": {"AWS": f"arn:aws:iam::{item['Principal']}:root"}}
        if str(item["Principal"]).isdigit()
        else item
        for item in policy["Statement"]
    ]
    return json.dumps({**policy, "Statement": statements}), get_account_id()


def _bucket_allows(
    enforcement: Enforcement,
    owner: str,
    bucket: str,
    key: str,
    method: str,
    query: Mapping[str, Any],
    caller: str,
    headers: Any = None,
) -> bool:
    """Whether a bucket's policy lets in somebody of another account: who asks counts; ministack takes the root."""
    from ministack.core.iam_actions import _s3_action, s3_service_context
    from ministack.core.iam_evaluator import caller_arn
    from ministack.core.responses import get_region, request_scope
    from ministack.services import s3

    path = f"/{bucket}/{key}" if key else f"/{bucket}"
    action = f"s3:{_s3_action(method, path, query) or 'GetObject'}"
    with request_scope(owner, get_region()):
        given = s3_service_context(action, query, path, headers or {})
    resource = f"arn:aws:s3:::{bucket}/{key}" if key else f"arn:aws:s3:::{bucket}"
    request = Request(
        principal=caller_arn() if caller else "*",
        kind="AssumedRole" if caller else "Anonymous",
        account=caller or "",
        action=action,
        resource=resource,
        region=get_region(),
        context=given,
    )
    policy = s3._bucket_policies.get_scoped(owner, None, bucket)
    allowed = policy is not None and resource_decision(policy, request) == "Allow"
    enforcement.record(request_access_key.get() or "", action, resource, given, allowed=allowed)
    return allowed


def _serve_other_registries() -> None:
    """Answer a request for another account's registry out of it, once it was allowed."""
    import ministack.app as ministack

    serve = ministack.SERVICE_HANDLERS["ecr"]

    async def served(method: str, path: str, headers: Any, body: bytes, query: Any) -> Any:
        from ministack.core.responses import get_account_id, get_region, request_scope

        with request_scope(registry_of(body) or get_account_id(), get_region()):
            return await serve(method, path, headers, body, query)

    ministack.SERVICE_HANDLERS["ecr"] = served
