"""A ledger's decisions made again, under policies as they are or with a statement taken away."""

from collections.abc import Iterable, Sequence

from tunestack.local.authorization.ledger import Entry
from tunestack.permissions.evaluator import Request, identity_decision
from tunestack.template.statement import Statement, is_used


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
    return tuple(action for action in statement.actions if not is_used(action, used))


def broken_without(statement: Statement, of_role: Sequence[Statement], entries: Iterable[Entry]) -> list[Entry]:
    """What a role could no longer do if one of its statements were gone."""
    rest = [other for other in of_role if other != statement]
    return [entry for entry in entries if entry.allowed and not allowed_by(rest, entry)]
