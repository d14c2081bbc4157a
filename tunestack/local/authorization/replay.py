"""A ledger's decisions made again, under policies as they are or with a statement taken away."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tunestack.local.authorization.ledger import Entry
from tunestack.permissions.evaluator import Request, identity_decision


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One statement of a role's policies, as it was deployed."""

    role: str
    policy: str
    index: int
    content: Mapping[str, Any]

    @property
    def actions(self) -> tuple[str, ...]:
        found = self.content["Action"]
        return (found,) if isinstance(found, str) else tuple(found)

    def __str__(self) -> str:
        return f"{self.role}: {', '.join(self.actions)} on {json.dumps(self.content['Resource'])}"


def statements_of(role: str, policies: Mapping[str, Mapping[str, Any]]) -> tuple[Statement, ...]:
    """Every statement of a role's inline policies."""
    return tuple(
        Statement(role=role, policy=name, index=index, content=content)
        for name, document in policies.items()
        for index, content in enumerate(document["Statement"])
    )


def allowed_by(statements: Sequence[Statement], entry: Entry) -> bool:
    """Whether a role with these statements may do what an entry did."""
    request = Request(
        principal=entry.principal, kind="AssumedRole", account=entry.principal.split(":")[4], action=entry.action,
        resource=entry.resource, context=entry.context,
    )  # fmt: skip
    return identity_decision([statement.content for statement in statements], request) == "Allow"


def unused_actions(statement: Statement, entries: Iterable[Entry]) -> tuple[str, ...]:
    """The actions of a statement that no entry needed it for."""
    used = {entry.action.lower() for entry in entries if allowed_by([statement], entry)}
    return tuple(action for action in statement.actions if not _covers(action, used))


def broken_without(statement: Statement, of_role: Sequence[Statement], entries: Iterable[Entry]) -> list[Entry]:
    """What a role could no longer do if one of its statements were gone."""
    rest = [other for other in of_role if other != statement]
    return [entry for entry in entries if entry.allowed and not allowed_by(rest, entry)]


def _covers(action: str, used: set[str]) -> bool:
    """Whether an action, or one that its wildcard stands for, was used."""
    prefix = action.lower().partition("*")[0]
    return any(found.startswith(prefix) if "*" in action else found == prefix for found in used)
