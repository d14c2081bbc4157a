"""How often what was measured lies in the stated range, when the range is fitted without the source that is judged.

The bounds of the range are the one thing of the memory model that is fitted on published rows: a twentieth of them
lies below, and a twentieth above. What it costs to judge a source by its own rows is the difference of the two columns.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Protocol

from benchmarks.table import Row

OUTSIDE = 0.05
# Of so many rows of other sources, a twentieth means something.
ENOUGH = 20


class Judged(Protocol):
    """A row with a measured figure, and the model's beside it."""

    @property
    def row(self) -> Row: ...

    @property
    def ratio(self) -> float:
        """Measured over predicted."""
        ...

    @property
    def is_inside(self) -> bool:
        """Whether it is inside the range that is stated."""
        ...


def source_of(row: Row) -> str:
    """The repository or page that a row comes from."""
    return row["source"].removeprefix("github.com/").split("@")[0]


def kind_of(row: Row) -> str:
    """What a range is stated for."""
    if row["method"] == "inference":
        return "inference"
    return "several GPUs" if row["n_gpus"].strip() not in ("", "1") else "one GPU"


def bounds(ratios: Sequence[float]) -> tuple[float, float]:
    """A twentieth lies below the first, and a twentieth above the second."""
    ordered = sorted(ratios)
    last = len(ordered) - 1
    return ordered[round(OUTSIDE * last)], ordered[round((1 - OUTSIDE) * last)]


def coverage(items: Sequence[Judged]) -> Iterable[str]:
    """For each kind of row: how many lie in the stated range, and in one that was fitted without their source."""
    by_kind: defaultdict[str, list[Judged]] = defaultdict(list)
    for item in items:
        by_kind[kind_of(item.row)].append(item)
    yield "| rows | count | sources | inside the stated range | inside one fitted without their source |"
    yield "|---|---|---|---|---|"
    for kind, rows in sorted(by_kind.items()):
        sources = {source_of(item.row) for item in rows}
        found = [_is_inside_of_others(item, rows) for item in rows]
        judged = [inside for inside in found if inside is not None]
        stated = sum(item.is_inside for item in rows) / len(rows)
        without = f"{sum(judged) / len(judged):.0%} of {len(judged)}" if judged else "too few others"
        yield f"| {kind} | {len(rows)} | {len(sources)} | {stated:.0%} | {without} |"


def _is_inside_of_others(item: Judged, rows: Sequence[Judged]) -> bool | None:
    others = [other.ratio for other in rows if source_of(other.row) != source_of(item.row)]
    if len(others) < ENOUGH:
        return None
    low, high = bounds(others)
    return low <= item.ratio <= high
