"""Whether an access is let through: identity, resource, key and endpoint policies and boundaries together."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from tunestack.permissions.access import Access, Broken
from tunestack.permissions.arn import Owner
from tunestack.permissions.evaluator import Decision, Request, identity_decision, resource_decision
from tunestack.permissions.world import Guarded, Role, World
from tunestack.template.statement import Statement


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
        guarded = self.guarded(access.resource)
        if role is None:
            return self._of_service(access, guarded)
        request = _request(access, "AssumedRole", role.account, guarded)
        identity = identity_decision([item.content for item in role.statements if item is not without], request)
        if (reason := self._beyond_boundary(role, request)) is not None:
            return Broken(access=access, stack=role.stack, reason=reason)
        return self._judged(access, role, guarded, identity, request)

    def allows(self, role: Role, statement: Statement, access: Access) -> bool:
        """Whether one statement of a role, by itself, is what allows an access."""
        request = _request(access, "AssumedRole", role.account, self.guarded(access.resource))
        return identity_decision([statement.content], request) == "Allow"

    def lets_in(self, guarded: Guarded, statement: Statement, access: Access) -> bool:
        """Whether one statement of a resource's policy, by itself, lets an access in."""
        role = self._world.roles.get(access.principal)
        kind, account = ("AssumedRole", role.account) if role else ("Service", guarded.account)
        request = _request(access, kind, account, guarded)
        return resource_decision({"Version": "2012-10-17", "Statement": [statement.content]}, request) == "Allow"

    def _judged(
        self, access: Access, role: Role, guarded: Guarded | None, identity: Decision, request: Request
    ) -> Broken | None:
        policy = resource_decision(guarded.policy, request) if guarded else "ImplicitDeny"
        elsewhere = guarded is not None and guarded.account != role.account
        needs_policy = elsewhere or (guarded is not None and access.action.startswith("kms:"))
        where = guarded.stack if guarded else ""
        if policy == "Deny":
            return Broken(access=access, stack=where, reason=f"the policy of {access.resource} denies it")
        if identity == "Deny":
            return Broken(access=access, stack=role.stack, reason=f"a policy of {role} denies it")
        if identity != "Allow" and role.managed and not (elsewhere and policy != "Allow"):
            # A managed policy of AWS's or of another stack's may allow it: nobody here knows.
            return None
        if identity != "Allow":
            # A policy of the same account's that names the role itself would do.
            named = policy == "Allow" and not elsewhere and guarded is not None and _names(guarded, role)
            return None if named else Broken(access=access, stack=role.stack, reason=f"no policy of {role} allows it")
        if (closed := self._closed_endpoint(access, request)) is not None:
            return closed
        if needs_policy and policy != "Allow":
            assert guarded is not None
            return Broken(access=access, stack=where, reason=f"the policy of {guarded.arn} doesn't let {role.arn} in")
        return None

    def _closed_endpoint(self, access: Access, request: Request) -> Broken | None:
        """Refused by the policy of the endpoint that it passes, if it is."""
        if access.through is None:
            return None
        stack, logical_id = access.through
        endpoint = self._world.resolver(stack).value(stack.of_kind("AWS::EC2::VPCEndpoint")[logical_id])
        policy = endpoint.get("PolicyDocument")
        if policy is None or resource_decision(policy, request) == "Allow":
            return None
        reason = f"the policy of the endpoint {logical_id} of {stack.name} doesn't allow it"
        return Broken(access=access, stack=stack.name, reason=reason)

    def _of_service(self, access: Access, guarded: Guarded | None) -> Broken | None:
        """A service by itself is let in by the resource's policy alone."""
        if access.action == "sts:AssumeRole":
            role = self._world.roles[access.resource]
            guarded = Guarded(arn=role.arn, account=role.account, stack=role.stack, policy=role.trust)
        if guarded is None:
            # Imported: its policy is said elsewhere.
            return None
        if resource_decision(guarded.policy, _request(access, "Service", guarded.account, guarded)) == "Allow":
            return None
        reason = f"the policy of {guarded.arn} doesn't let {access.principal} in"
        return Broken(access=access, stack=guarded.stack, reason=reason)

    def _beyond_boundary(self, role: Role, request: Request) -> str | None:
        if role.boundary is None:
            return None
        policy = self._boundaries.get(role.boundary)
        if policy is None:
            self.unknown_boundaries.add(role.boundary)
            return None
        allowed = identity_decision(policy["Statement"], request) == "Allow"
        return None if allowed else f"the boundary {role.boundary} of {role} doesn't allow it"

    def guarded(self, arn: str) -> Guarded | None:
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


def _request(access: Access, kind: Any, account: str, guarded: Guarded | None) -> Request:
    """The request of an access; what names no resource is the caller's account's."""
    owner = Owner.of(access.resource)
    resource_account = account
    if guarded:
        resource_account = guarded.account
    elif access.resource != "*":
        # A bucket outside these stacks has no known owner.
        resource_account = owner.account if owner else ""
    given = {key.lower(): value for key, value in access.context.items()}
    return Request(
        # The role's own ARN: that is what aws:PrincipalArn holds of its sessions.
        principal=access.principal,
        kind=kind,
        account=account,
        action=access.action,
        resource=access.resource,
        region=given.get("aws:requestedregion") or (owner.region if owner else ""),
        context=given,
        resource_account=resource_account,
    )


def _names(guarded: Guarded, role: Role) -> bool:
    allowing = [item for item in guarded.policy.get("Statement", []) if item.get("Effect") == "Allow"]
    return any(role.arn in json.dumps(item.get("Principal")) for item in allowing)
