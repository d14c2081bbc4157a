"""One estimate that covers several: of a job that several trainers may run, or of a setting that nobody told."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate

from tunestack.sizing.memory.estimate import MemoryEstimate

# Estimates as close as that are the same.
SAME = 0.005
# Too little memory ends a job, too much costs some dollars.
ABOVE_MIDDLE = 0.6
ROUNDING = 1e-9


def envelope(
    estimates: Sequence[MemoryEstimate], *, voices: Sequence[str] = (), point: int | None = None
) -> MemoryEstimate:
    """What covers several estimates of one job: one of them, and a range from the least of all to the most.

    `point` is the one that is most likely. Without it, it is the least that three voices in five don't exceed. `voices`
    says whose each estimate is: a name has one voice, which its estimates share where they differ; without them, each
    estimate that differs from the others has one.
    """
    chosen = _least_of_most(estimates, voices) if point is None else estimates[point]
    return replace(
        chosen,
        low=min(found.low_bytes for found in estimates) / chosen.device_bytes,
        high=max(found.high_bytes for found in estimates) / chosen.device_bytes,
    )


def _least_of_most(estimates: Sequence[MemoryEstimate], voices: Sequence[str]) -> MemoryEstimate:
    by_voice: defaultdict[str, list[MemoryEstimate]] = defaultdict(list)
    named = estimates if voices else _distinct(estimates)
    for found, voice in zip(named, voices or map(str, range(len(named))), strict=True):
        by_voice[voice].append(found)
    shares = [(found, 1 / len(of_one)) for of_one in map(_distinct, by_voice.values()) for found in of_one]
    shares.sort(key=lambda item: item[0].device_bytes)
    reached = accumulate(share for _, share in shares)
    needed = ABOVE_MIDDLE * len(by_voice) - ROUNDING
    return next(found for (found, _), so_far in zip(shares, reached, strict=True) if so_far >= needed)


def _distinct(estimates: Sequence[MemoryEstimate]) -> list[MemoryEstimate]:
    """Those that differ."""
    ordered = sorted(estimates, key=lambda found: found.device_bytes)
    found = [ordered[0]]
    for estimate in ordered[1:]:
        if estimate.device_bytes > found[-1].device_bytes * (1 + SAME):
            found.append(estimate)
    return found
