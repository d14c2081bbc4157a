"""The proof: every need of a world against every policy; what breaks, and what nobody needs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tunestack.permissions.access import Access, Broken
from tunestack.permissions.judge import Judge
from tunestack.permissions.needs import needs_of
from tunestack.permissions.world import Role, World
from tunestack.template.statement import Statement, is_used


@dataclass(frozen=True, kw_only=True)
class Unneeded:
    """A statement of a role's, or some of its actions, that no need was found for."""

    role: Role
    statement: Statement
    actions: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.role}: nothing needs {', '.join(self.actions)} ({self.statement.where})"


@dataclass(frozen=True, kw_only=True)
class Proof:
    """What was proven of a world."""

    accesses: tuple[Access, ...]
    broken: tuple[Broken, ...]
    unneeded: tuple[Unneeded, ...]
    unknown_boundaries: tuple[str, ...]

    @property
    def holds(self) -> bool:
        return not self.broken


def prove(
    world: World, *, boundaries: Mapping[str, Mapping[str, Any]] | None = None, needed_only: bool = False
) -> Proof:
    """Prove that every need is met; `boundaries` are the policies of permissions boundaries, by name.

    With `needed_only`, what nobody needs isn't looked for.
    """
    judge = Judge(world, boundaries=boundaries)
    accesses = _each_once(needs_of(world))
    broken = tuple(found for access in accesses if (found := judge.refusal(access)) is not None)
    unneeded = () if needed_only else tuple(_unneeded(world, judge, accesses))
    boundaries_missing = tuple(sorted(judge.unknown_boundaries))
    return Proof(accesses=accesses, broken=broken, unneeded=unneeded, unknown_boundaries=boundaries_missing)


def _each_once(accesses: Iterable[Access]) -> tuple[Access, ...]:
    known = {(str(item), item.principal, str(sorted(item.context.items()))): item for item in accesses}
    return tuple(known.values())


def _unneeded(world: World, judge: Judge, accesses: tuple[Access, ...]) -> Iterable[Unneeded]:
    by_role: dict[str, list[Access]] = {}
    for access in accesses:
        by_role.setdefault(access.principal, []).append(access)
    for arn, role in world.roles.items():
        needed = by_role.get(arn)
        if needed is None:
            # Nothing is known of who takes it on: a person, or somebody else's resource.
            continue
        for statement in role.statements:
            if statement.content["Effect"] != "Allow":
                continue
            used = {access.action.lower() for access in needed if judge.allows(role, statement, access)}
            given = statement.content["Action"]
            actions = [given] if isinstance(given, str) else given
            rest = tuple(action for action in actions if not is_used(action, used))
            if rest:
                yield Unneeded(role=role, statement=statement, actions=rest)
