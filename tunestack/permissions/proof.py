"""The proof: every need of a world against every policy; what breaks, and what nobody needs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tunestack.permissions.access import Access, Broken
from tunestack.permissions.judge import Judge
from tunestack.permissions.needs import needs_of
from tunestack.permissions.unneeded import Unneeded, unneeded
from tunestack.permissions.world import World


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
    spare = () if needed_only else tuple(unneeded(world, judge, accesses))
    boundaries_missing = tuple(sorted(judge.unknown_boundaries))
    return Proof(accesses=accesses, broken=broken, unneeded=spare, unknown_boundaries=boundaries_missing)


def _each_once(accesses: Iterable[Access]) -> tuple[Access, ...]:
    known = {(str(item), item.principal, str(sorted(item.context.items()))): item for item in accesses}
    return tuple(known.values())
