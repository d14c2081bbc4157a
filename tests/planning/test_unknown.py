"""Unknown is never passed as known: whatever isn't known, no total is lower for it, and no check is passed for it."""

from dataclasses import replace
from typing import Any

import pytest
from allpairspy import AllPairs

from tests.changed_settings import changed
from tunestack.catalogue.prices import regions
from tunestack.planning.blueprint import Blueprint, blueprint_of
from tunestack.planning.checks import failed_checks
from tunestack.settings.loading import load_settings

BATCH: dict[str, Any] = {"per_device_train_batch_size": 1, "gradient_accumulation_steps": 16}
PRICELESS = "sa-east-1"
# What isn't known, as people come to it: a model of their own, a letter too many, a region that has just opened.
MODELS = ("acme/our-llm-70b", "meta-llama/Llama-3.1-8b", "Llama-3.1-8B", "")
PARTS = {
    "run_usd": (None, 0.01, 5.0, 1000.0),
    "month_usd": (None, 0.01, 1_000_000.0),
    "deadline_hours": (None, 0.01, 100.0),
    "instance": (None, "ml.g4dn.xlarge", "ml.g5.48xlarge"),
    "minutes": (None, 1),
    "unknown": ("model", "prices", "both"),
    "model": MODELS,
}
CASES = [dict(zip(PARTS, values, strict=True)) for values in AllPairs(list(PARTS.values()))]


def blueprint(case: dict[str, Any], *, unknown: bool) -> Blueprint:
    budget = {name: case[name] for name in ("run_usd", "month_usd", "deadline_hours")}
    train = {"instance_type": case["instance"], "allowed_instance_types": []} if case["instance"] else {}
    train |= {"max_runtime_minutes": case["minutes"]} if case["minutes"] else {}
    jobs = {"train": load_settings("prod").environment.jobs.train.model_copy(update=train)}
    recipe: dict[str, Any] = {"training": BATCH}
    if unknown and case["unknown"] in ("model", "both"):
        recipe["model"] = {"name_or_path": case["model"] or "x"}
    settings = changed("prod", recipe=recipe, budget=budget, jobs=jobs)
    if unknown and case["unknown"] in ("prices", "both"):
        settings = replace(settings, environment=settings.environment.model_copy(update={"region": PRICELESS}))
    return blueprint_of(settings)


@pytest.mark.parametrize("case", CASES, ids=lambda case: "-".join(str(value) for value in case.values()))
def test_what_is_unknown_lowers_no_total_and_passes_no_check(case: dict[str, Any]) -> None:
    assert PRICELESS not in regions()
    known, unknown = blueprint(case, unknown=False), blueprint(case, unknown=True)
    assert {item.check for item in failed_checks(known)} <= {item.check for item in failed_checks(unknown)}
    for figure in ("low_usd", "expected_usd", "ceiling_usd"):
        before, after = getattr(known.run, figure), getattr(unknown.run, figure)
        assert after is None or (before is not None and after >= before)
