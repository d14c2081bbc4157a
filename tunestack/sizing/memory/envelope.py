"""One estimate that covers several: of a job that several stacks may run, or of a setting that nobody told."""

from collections.abc import Sequence
from dataclasses import replace

from tunestack.sizing.memory.estimate import MemoryEstimate

# Estimates as close as that are the same.
SAME = 0.005
ABOVE_MIDDLE = 0.6


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
