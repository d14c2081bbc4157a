"""Costs: rules of thumb as everyone quotes them, dated prices, and nothing silently free."""

from typing import Any

import pytest

from tests.changed_settings import changed_blueprint
from tunestack.costs import CostReport, ResourceUse, standing_cost
from tunestack.costs.usage import images_usage
from tunestack.jobs import JOBS
from tunestack.sizing.memory import rules_of_thumb as rules


def test_the_textbook_figures_come_out() -> None:
    assert rules.fp32_inference_gb(1e9) == 4
    assert rules.fp32_inference_gb(70e9) == 280
    assert rules.full_fine_tuning_gb(1e9) == 24


def test_an_unpriced_type_is_named_and_never_silently_free() -> None:
    cost = standing_cost([ResourceUse(type="AWS::New::Thing"), ResourceUse(type="AWS::KMS::Key")], region="us-east-1")
    assert cost.usd_per_month is None and cost.drivers == {"1 × KMS Customer managed key": 1.0}
    assert cost.unpriced == ("AWS::New::Thing",)
    assert "without a known price: AWS::New::Thing" in CostReport(standing=cost).line()


def test_what_the_stacks_hold_is_priced_by_use_or_named(assembly: Any) -> None:
    for name, service in (
        ("storage", "S3"),
        ("storage", "KMS"),
        ("images", "ECR"),
        ("images", "CodeBuild"),
        ("pipeline", "CloudWatch"),
    ):
        drivers = assembly("prod").template(name)["Metadata"]["tunestack:cost"]["StandingDrivers"]
        assert any(driver.startswith(f"{service}: ") for driver in drivers)
    elsewhere = standing_cost([], region="eu-north-1", usage=images_usage())
    assert elsewhere.unpriced == ("CodeBuild Linux general1.large", "ECR Private storage")


def test_endpoints_cost_by_zone() -> None:
    cost = standing_cost([ResourceUse(type="AWS::EC2::VPCEndpoint", units=3)], region="us-east-1")
    assert cost.usd_per_month == pytest.approx(3 * 0.01 * 730)


def known(usd: float | None) -> float:
    assert usd is not None
    return usd


def test_a_runs_cost_is_bounded_by_its_time_limits() -> None:
    for name in ("dev", "prod"):
        cost = changed_blueprint(name).run
        assert 0 < known(cost.low_usd) < known(cost.expected_usd) < known(cost.ceiling_usd)
        assert [job.step for job in cost.jobs] == [job.step for job in JOBS]


def test_spot_is_the_on_demand_rate_less_the_assumed_savings() -> None:
    (spot,) = [job for job in changed_blueprint("dev").run.jobs if job.step == "FineTune"]
    assert spot.price is not None and spot.expected_usd == pytest.approx(
        spot.price.usd * (spot.expected_hours or 0) * 0.4
    )
    assert spot.ceiling_usd == spot.price.usd * spot.ceiling_hours


def test_more_tokens_and_a_larger_model_cost_more() -> None:
    more = changed_blueprint("dev", costs={"training_tokens": 10_000_000})
    larger = changed_blueprint("dev", recipe={"model": {"name_or_path": "Qwen/Qwen3-4B"}})
    for bigger in (more, larger):
        assert known(bigger.run.expected_usd) > known(changed_blueprint("dev").run.expected_usd)
