"""Which stack runs a job: by name and month, or, where nobody knows, all that could."""

from collections.abc import Sequence
from dataclasses import replace

from tunestack.errors import UserError, nearest
from tunestack.sizing.job.kinds import LossKernel
from tunestack.sizing.memory.estimate import MemoryEstimate
from tunestack.sizing.stacks.known import STACKS
from tunestack.sizing.stacks.stack import Stack

# Estimates as close as that are the same.
SAME = 0.005
ABOVE_MIDDLE = 0.6


def stack_names() -> tuple[str, ...]:
    """The names, each once."""
    return tuple(dict.fromkeys(stack.name for stack in STACKS))


def training_stacks() -> tuple[str, ...]:
    """The names of those that train."""
    return tuple(dict.fromkeys(stack.name for stack in STACKS if not stack.serves))


def find_stack(name: str, *, month: str | None = None) -> Stack:
    """The facts of a stack in a month (`2024-08`), or today's.

    Raises:
        UserError: no stack of that name is known.
    """
    entries = [stack for stack in STACKS if stack.name == name]
    if not entries:
        raise UserError(f"no stack {name!r}; {nearest(name, stack_names())}")
    begun = [stack for stack in entries if month is None or stack.since <= month]
    return begun[-1] if begun else entries[0]


def possible_stacks(
    *,
    month: str | None = None,
    serves: bool = False,
    adapters: bool = False,
    loss: LossKernel | None = None,
) -> tuple[Stack, ...]:
    """The stacks that may have run a job of a month: one of each name, or without a month each that ever was.

    Those that train no adapters can't have run a job with some, nor those without a chunked loss one with it.
    """
    able = [
        stack
        for stack in STACKS
        if stack.serves is serves and not (adapters and stack.only_full)
        if (loss == "chunked") == (stack.loss == "chunked") or loss not in ("chunked", "plain")
    ]
    if month is None:
        return tuple(able)
    then = [stack for stack in able if stack is find_stack(stack.name, month=month)]
    return tuple(then or able)


def envelope(estimates: Sequence[MemoryEstimate], *, point: int | None = None) -> MemoryEstimate:
    """What covers several estimates of one job: one of them, and a range from the least of all to the most.

    `point` is the one that is most likely; without it, one a little above the middle: too little memory ends a job,
    too much costs some dollars.
    """
    ordered = sorted(estimates, key=lambda found: found.device_bytes)
    distinct = _distinct(ordered)
    chosen = distinct[int(len(distinct) * ABOVE_MIDDLE)] if point is None else estimates[point]
    return replace(
        chosen,
        low=min(found.low_bytes for found in estimates) / chosen.device_bytes,
        high=max(found.high_bytes for found in estimates) / chosen.device_bytes,
    )


def _distinct(ordered: Sequence[MemoryEstimate]) -> list[MemoryEstimate]:
    """Those that differ: stacks that share their code count once."""
    found = [ordered[0]]
    for estimate in ordered[1:]:
        if estimate.device_bytes > found[-1].device_bytes * (1 + SAME):
            found.append(estimate)
    return found
