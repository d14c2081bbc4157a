"""What figures say of a limit: passed or rejected by the whole of their interval, else undecided."""

import random
from typing import Any

import pytest
from tunestack_training.intervals import difference_interval, rate_interval, ratio_interval
from tunestack_training.recipe import Evaluation
from tunestack_training.verdict import in_words, verdict_on


def result(rows: int = 100, answered: int = 100, **intervals: tuple[float, float]) -> dict[str, Any]:
    good = {"loss_ratio": (0.5, 0.6), "error_rate": (0.0, 0.1), "error_increase": (-0.9, -0.7)} | intervals
    heldout = {"rows": rows, "answered": answered, **{f"{name}_interval": value for name, value in good.items()}}
    return {"heldout": heldout, "general": {"rows": 32, "answered": 0, "loss_ratio_interval": (0.9, 1.1)}}


@pytest.mark.parametrize(
    ("found", "settings", "verdict"),
    [
        (result(), {}, "passed"),
        (result(loss_ratio=(0.9, 1.02)), {}, "undecided"),
        (result(loss_ratio=(0.99, 1.02)), {}, "rejected"),
        (result(rows=4), {}, "undecided"),
        (result(answered=4), {}, "passed"),
        (result(answered=4), {"max_heldout_error_rate": 0.2}, "undecided"),
        (result(rows=4, loss_ratio=(0.99, 1.02)), {}, "rejected"),
        (result(error_rate=(0.9, 1.0)), {}, "passed"),
        (result(error_rate=(0.9, 1.0)), {"max_heldout_error_rate": 0.2}, "rejected"),
        (result(error_rate=(0.1, 0.3)), {"max_heldout_error_rate": 0.2}, "undecided"),
        (result(error_rate=(0.1, 0.2)), {"max_heldout_error_rate": 0.2}, "passed"),
        (result(error_increase=(-0.1, 0.1)), {"max_heldout_error_increase": 0.0}, "undecided"),
        (result(error_increase=(-0.2, -0.1)), {"max_heldout_error_increase": 0.0}, "passed"),
    ],
)
def test_a_limit_is_kept_by_the_whole_interval(found: dict[str, Any], settings: dict[str, float], verdict: str) -> None:
    made = verdict_on(found, Evaluation(**settings))
    assert made["verdict"] == verdict
    assert in_words(made).startswith(f"gate {verdict}")
    assert len(in_words(made)) < 90 and all(sign.isalnum() or sign in " _.:/=+-@" for sign in in_words(made))


def test_no_wrong_answer_of_four_may_still_be_half_of_all() -> None:
    assert rate_interval(0.0, 4) == pytest.approx((0.0, 0.4899), abs=1e-3)
    assert rate_interval(0.0, 400)[1] < 0.01
    assert rate_interval(1.0, 4) == pytest.approx((0.5101, 1.0), abs=1e-3)


def test_intervals_hold_what_is_true_about_95_of_100_times() -> None:
    chance, held = random.Random(0), {"ratio": 0, "difference": 0, "rate": 0}
    for seed in range(100):
        base = [chance.expovariate(1) for _ in range(60)]
        tuned = [0.8 * chance.expovariate(1) for _ in range(60)]
        low, high = ratio_interval(tuned, base, seed)
        held["ratio"] += low <= 0.8 <= high
        low, high = difference_interval(tuned, base, seed)
        held["difference"] += low <= -0.2 <= high
        low, high = rate_interval(sum(chance.random() < 0.3 for _ in range(60)) / 60, 60)
        held["rate"] += low <= 0.3 <= high
    assert all(87 <= count <= 100 for count in held.values()), held


def test_the_same_rows_give_the_same_interval_and_a_base_that_knows_all_is_no_error() -> None:
    assert ratio_interval([1, 2, 3], [2, 3, 5], 7) == ratio_interval([1, 2, 3], [2, 3, 5], 7)
    assert ratio_interval([1.0, 1.0], [0.0, 0.0], 1)[0] > 1e6
