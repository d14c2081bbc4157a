"""IAM's decisions: the one place that asks the evaluator (ministack's), for the proof and the local AWS alike."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Policy = Mapping[str, Any]
Decision = Literal["Allow", "Deny", "ImplicitDeny"]
_RESOURCE_ACCOUNT = "aws:ResourceAccount"
# The services whose resource policies name no resource.
_WITHOUT_RESOURCE = ("ecr:", "sts:")
# The same key under a name that the evaluator doesn't answer by itself: of S3 it would say the caller's account, since
# a bucket's ARN names none.
_OWN_RESOURCE_ACCOUNT = f"tunestack:{_RESOURCE_ACCOUNT}"


@dataclass(frozen=True, kw_only=True)
class Request:
    """Who wants to do what, under which condition keys.

    `principal` is the ARN of a role or of a session of it, or a service's name; `resource_account` answers
    aws:ResourceAccount, where the resource's ARN can't.
    """

    principal: str
    kind: Literal["AssumedRole", "Service", "Anonymous"]
    account: str
    action: str
    resource: str
    region: str = ""
    context: Mapping[str, Any] = field(default_factory=dict)
    resource_account: str | None = None
    secure_transport: bool = True

    @property
    def _evaluated(self) -> Any:
        from ministack.core.iam_evaluator import EvalContext

        keys = {key.lower(): value for key, value in self.context.items()}
        if self.resource_account is not None:
            keys[_OWN_RESOURCE_ACCOUNT.lower()] = self.resource_account
        return EvalContext(
            principal_arn=self.principal,
            principal_type=self.kind,
            principal_account=self.account,
            action=self.action,
            resource_arn=self.resource,
            region=self.region,
            secure_transport=self.secure_transport,
            service_context=keys,
        )

    def _asked_of(self, document: Policy) -> Policy:
        if self.resource_account is None:
            return document
        renamed = json.dumps(document).replace(f'"{_RESOURCE_ACCOUNT}"', f'"{_OWN_RESOURCE_ACCOUNT}"')
        found: Policy = json.loads(renamed)
        return found


def identity_decision(statements: Iterable[Mapping[str, Any]], request: Request) -> Decision:
    """What the statements of a principal's own policies, or of its boundary, say of a request."""
    from ministack.core.iam_evaluator import evaluate, parse_policy_document

    document = request._asked_of({"Version": "2012-10-17", "Statement": [dict(item) for item in statements]})
    found: Decision = evaluate(request._evaluated, [parse_policy_document(document)]).decision
    return found


def resource_decision(policy: Policy | str, request: Request) -> Decision:
    """What a resource's policy, an endpoint's or a role's trust says of a request.

    ECR's and every trust's name no resource: they are of the policy's own. Of any other service, AWS refuses a
    statement without one, and here it allows nothing.
    """
    from ministack.core.iam_evaluator import evaluate_resource_policy

    document = json.loads(policy) if isinstance(policy, str) else policy
    service = request.principal if request.kind == "Service" else None
    named = _with_resources(document, everything=request.action.startswith(_WITHOUT_RESOURCE))
    asked = dict(request._asked_of(named))
    found: Decision = evaluate_resource_policy(asked, request._evaluated, service=service).decision
    return found


def _with_resources(document: Policy, *, everything: bool) -> Policy:
    """A policy whose statements without a resource are of everything, or gone; what denies always counts."""
    statements = document.get("Statement", [])
    listed = [statements] if isinstance(statements, Mapping) else statements
    unnamed = {"Resource": "*"}
    return {
        **document,
        "Statement": [
            item if {"Resource", "NotResource"} & item.keys() else {**unnamed, **item}
            for item in listed
            if everything or item.get("Effect") == "Deny" or {"Resource", "NotResource"} & item.keys()
        ],
    }
