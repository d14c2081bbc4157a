"""What the figures of an evaluation say of the gate's limits: passed, rejected, or undecided for want of rows."""

from collections.abc import Mapping
from typing import Any, Literal

from tunestack_training.recipe import Evaluation

Verdict = Literal["passed", "undecided", "rejected"]
# Below it, one row more or less moves a gate's figure by more than what a gate asks for.
FEW_TEST_ROWS = 20
# What must not be more than a limit: the set, its figure, and the recipe's field.
LIMITS = (
    ("heldout", "loss_ratio", "max_heldout_loss_ratio"),
    ("general", "loss_ratio", "max_general_loss_ratio"),
    ("heldout", "error_rate", "max_heldout_error_rate"),
    ("heldout", "error_increase", "max_heldout_error_increase"),
)
# A limit that every figure keeps: nothing is asked.
_NOTHING_ASKED = {"max_heldout_error_rate": 1.0, "max_heldout_error_increase": 1.0}
_WORST: tuple[Verdict, ...] = ("rejected", "undecided", "passed")


def verdict_on(result: Mapping[str, Any], settings: Evaluation) -> dict[str, Any]:
    """The verdict as a whole, and that on each limit, with what it was made of.

    A figure passes where its whole interval keeps the limit, and is rejected where none of it does. On fewer held-out
    rows (or answers to them) than `FEW_TEST_ROWS` nothing passes that is asked.
    """
    on_each, limits = {}, settings.model_dump()
    for name, figure, field in LIMITS:
        limit, count = limits[field], result[name]["answered" if figure.startswith("error") else "rows"]
        few = name == "heldout" and count < FEW_TEST_ROWS
        low, high = result[name][f"{figure}_interval"]
        verdict: Verdict = "passed" if high <= limit and not few else "rejected" if low > limit else "undecided"
        if limit == _NOTHING_ASKED.get(field):
            verdict = "passed"
        on_each[f"{name}.{figure}"] = {
            "verdict": verdict,
            "limit": limit,
            "low": low,
            "high": high,
            "few_rows": count if few and verdict == "undecided" else 0,
        }
    verdicts = {item["verdict"] for item in on_each.values()}
    return {"verdict": next(item for item in _WORST if item in verdicts), "limits": on_each}


def in_words(found: Mapping[str, Any]) -> str:
    """A verdict in a few words, of letters, digits and `_ . : / = + - @` only: the registry takes no others.

    `gate undecided: heldout.loss_ratio 0.91 to 1.02 where 0.98 is asked`; the worst of the limits, and how many more.
    """
    items = {name: item for name, item in found["limits"].items() if item["verdict"] != "passed"}
    if not items:
        return f"gate {found['verdict']}"
    name, item = next((name, item) for name, item in items.items() if item["verdict"] == found["verdict"])
    why = f"{name} {item['low']:.4g} to {item['high']:.4g} where {item['limit']:g} is asked"
    if item["few_rows"]:
        why = f"{name} on {item['few_rows']} rows where {FEW_TEST_ROWS} say enough"
    more = f" and {len(items) - 1} more" if len(items) > 1 else ""
    return f"gate {found['verdict']}: {why}{more}"
