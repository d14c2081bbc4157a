"""One access, and whether the policies of both sides let it through: asked of the evaluator of the local AWS."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tunestack.local.arn import Owner
from tunestack.reachability.world import Guarded, Role, World
from tunestack.template.assembly import Stack
from tunestack.template.statement import Statement

# Before the name of a condition key that is answered from here.
_CONTEXT_PREFIX = "tunestack:"
_RESOURCE_ACCOUNT = "aws:ResourceAccount"


@dataclass(frozen=True, kw_only=True)
class Access:
    """What somebody needs: an action on a resource, under condition keys; `by` says who does what for it.

    `principal` is a role's ARN, or a service's name.
    """

    by: str
    principal: str
    action: str
    resource: str
    context: Mapping[str, Any] = field(default_factory=dict)
    through: tuple[Stack, str] | None = None
    """The VPC endpoint that it passes: its stack and its logical id."""

    def __str__(self) -> str:
        return f"{self.by}: {self.action} on {self.resource}"


@dataclass(frozen=True, kw_only=True)
class Broken:
    """An access that is refused, and by what."""

    access: Access
    stack: str
    reason: str

    def __str__(self) -> str:
        return f"{self.access}: {self.reason}"


class Judge:
    """Decides accesses in a world; `boundaries` are policies by name that no template holds."""

    def __init__(self, world: World, *, boundaries: Mapping[str, Mapping[str, Any]] | None = None) -> None:
        self._world = world
        self._boundaries = dict(boundaries or {})
        self.unknown_boundaries: set[str] = set()

    def refusal(self, access: Access, *, without: Statement | None = None) -> Broken | None:
        """Why an access is refused, or None where it isn't; `without` takes a statement of the role away."""
        role = self._world.roles.get(access.principal)
        if role is None and access.principal.startswith("arn:"):
            # Imported: what it may do is said elsewhere.
            return None
        guarded = self._guarded(access.resource)
        if role is None:
            return self._of_service(access, guarded)
        context = _context(access, role, guarded)
        statements = [item.content for item in role.statements if item is not without]
        identity = _decision(statements, context)
        if (reason := self._beyond_boundary(role, context)) is not None:
            return Broken(access=access, stack=role.stack, reason=reason)
        return self._judged(access, role, guarded, identity, context)

    def allows(self, role: Role, statement: Statement, access: Access) -> bool:
        """Whether one statement of a role, by itself, is what allows an access."""
        context = _context(access, role, self._guarded(access.resource))
        return _decision([statement.content], context) == "Allow"

    def _judged(
        self, access: Access, role: Role, guarded: Guarded | None, identity: str, context: Any
    ) -> Broken | None:
        policy = _resource_decision(guarded, context) if guarded else "ImplicitDeny"
        elsewhere = guarded is not None and guarded.account != role.account
        needs_policy = elsewhere or (guarded is not None and access.action.startswith("kms:"))
        where = guarded.stack if guarded else ""
        if policy == "Deny":
            return Broken(access=access, stack=where, reason=f"the policy of {access.resource} denies it")
        if identity == "Deny":
            return Broken(access=access, stack=role.stack, reason=f"a policy of {role} denies it")
        if identity != "Allow" and role.managed:
            # A managed policy of AWS's or of another stack's may allow it: nobody here knows.
            return None
        if identity != "Allow":
            # A policy of the same account's that names the role itself would do.
            named = policy == "Allow" and not elsewhere and guarded is not None and _names(guarded, role)
            return None if named else Broken(access=access, stack=role.stack, reason=f"no policy of {role} allows it")
        if (closed := self._closed_endpoint(access, context)) is not None:
            return closed
        if needs_policy and policy != "Allow":
            assert guarded is not None
            return Broken(access=access, stack=where, reason=f"the policy of {guarded.arn} doesn't let {role.arn} in")
        return None

    def _closed_endpoint(self, access: Access, context: Any) -> Broken | None:
        """Refused by the policy of the endpoint that it passes, if it is."""
        from ministack.core.iam_evaluator import evaluate_resource_policy

        if access.through is None:
            return None
        stack, logical_id = access.through
        policy = (
            self._world.resolver(stack).value(stack.of_kind("AWS::EC2::VPCEndpoint")[logical_id]).get("PolicyDocument")
        )
        if policy is None or evaluate_resource_policy(_renamed(policy), context).decision == "Allow":
            return None
        return Broken(
            access=access,
            stack=stack.name,
            reason=f"the policy of the endpoint {logical_id} of {stack.name} doesn't allow it",
        )

    def _of_service(self, access: Access, guarded: Guarded | None) -> Broken | None:
        """A service by itself is let in by the resource's policy alone."""
        from ministack.core.iam_evaluator import evaluate_resource_policy

        if access.action == "sts:AssumeRole":
            role = self._world.roles[access.resource]
            trust = {**role.trust, "Statement": [{**item, "Resource": "*"} for item in role.trust["Statement"]]}
            guarded = Guarded(arn=role.arn, account=role.account, stack=role.stack, policy=trust)
        if guarded is None:
            # Imported: its policy is said elsewhere.
            return None
        context = _evaluated(access, "Service", guarded.account, _keys(access, guarded, guarded.account))
        decision = evaluate_resource_policy(_renamed(guarded.policy), context, service=access.principal).decision
        if decision == "Allow":
            return None
        reason = f"the policy of {guarded.arn} doesn't let {access.principal} in"
        return Broken(access=access, stack=guarded.stack, reason=reason)

    def _beyond_boundary(self, role: Role, context: Any) -> str | None:
        if role.boundary is None:
            return None
        policy = self._boundaries.get(role.boundary)
        if policy is None:
            self.unknown_boundaries.add(role.boundary)
            return None
        decision = _decision(policy["Statement"], context)
        return None if decision == "Allow" else f"the boundary {role.boundary} of {role} doesn't allow it"

    def _guarded(self, arn: str) -> Guarded | None:
        """What keeps a policy for a resource: an object's is its bucket's, a version's its group's."""
        for candidate in _keepers(arn):
            if candidate in self._world.guarded:
                return self._world.guarded[candidate]
        return None


def _keepers(arn: str) -> Iterable[str]:
    yield arn
    *head, rest = arn.split(":", 5)
    prefix = ":".join(head)
    if ":s3:::" in arn:
        yield f"{prefix}:{rest.partition('/')[0]}"
    if rest.startswith("model-package/"):
        yield f"{prefix}:model-package-group/{rest.split('/')[1]}"


def _keys(access: Access, guarded: Guarded | None, account: str) -> dict[str, Any]:
    """The condition keys of an access; what names no resource is the caller's account's."""
    if guarded:
        account = guarded.account
    elif access.resource != "*":
        # A bucket outside these stacks has no known owner.
        account = owner.account if (owner := Owner.of(access.resource)) else ""
    given = {key.lower(): value for key, value in access.context.items()}
    return given | {f"{_CONTEXT_PREFIX}{_RESOURCE_ACCOUNT}".lower(): account}


def _context(access: Access, role: Role, guarded: Guarded | None) -> Any:
    return _evaluated(access, "AssumedRole", role.account, _keys(access, guarded, role.account))


def _evaluated(access: Access, kind: str, account: str, keys: Mapping[str, Any]) -> Any:
    from ministack.core.iam_evaluator import EvalContext

    return EvalContext(
        # The role's own ARN: that is what aws:PrincipalArn holds of its sessions.
        principal_arn=access.principal,
        principal_type=kind,
        principal_account=account,
        action=access.action,
        resource_arn=access.resource,
        region=keys.get("aws:requestedregion") or (owner.region if (owner := Owner.of(access.resource)) else ""),
        secure_transport=True,
        service_context=dict(keys),
    )


def _decision(statements: Iterable[Mapping[str, Any]], context: Any) -> str:
    from ministack.core.iam_evaluator import evaluate, parse_policy_document

    document = _renamed({"Version": "2012-10-17", "Statement": list(statements)})
    return str(evaluate(context, [parse_policy_document(document)]).decision)


def _resource_decision(guarded: Guarded, context: Any) -> str:
    from ministack.core.iam_evaluator import evaluate_resource_policy

    return str(evaluate_resource_policy(_renamed(_applied(guarded)), context).decision)


def _applied(guarded: Guarded) -> Mapping[str, Any]:
    """A policy whose statements name no resource, as ECR's, is of its own."""
    statements = [{"Resource": "*", **item} for item in guarded.policy.get("Statement", [])]
    return {**guarded.policy, "Statement": statements}


def _names(guarded: Guarded, role: Role) -> bool:
    allowing = [item for item in guarded.policy.get("Statement", []) if item.get("Effect") == "Allow"]
    return any(role.arn in json.dumps(item.get("Principal")) for item in allowing)


def _renamed(document: Mapping[str, Any]) -> dict[str, Any]:
    """A document whose conditions ask for the resource's account by a key that the evaluator takes from here.

    Of S3 it would say the caller's: a bucket's ARN names no account.
    """
    found: dict[str, Any] = json.loads(
        json.dumps(document).replace(f'"{_RESOURCE_ACCOUNT}"', f'"{_CONTEXT_PREFIX}{_RESOURCE_ACCOUNT}"')
    )
    return found
