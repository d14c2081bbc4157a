"""How far predictions are from what was measured."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Spread:
    """Relative errors, without their sign but for the bias: 0.1 is a tenth too much, or too little."""

    median: float
    p90: float
    worst: float
    bias: float


def spread(errors: Sequence[float]) -> Spread:
    """Of at least one error, predicted over measured less 1."""
    sizes = sorted(abs(error) for error in errors)
    return Spread(
        median=statistics.median(sizes),
        p90=sizes[min(len(sizes) - 1, int(0.9 * len(sizes)))],
        worst=sizes[-1],
        bias=statistics.median(errors),
    )
