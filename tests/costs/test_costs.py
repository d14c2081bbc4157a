"""Costs: rules of thumb as everyone quotes them, dated prices, and nothing silently free."""

import pytest

from tunestack.catalogue import find_instance, find_instance_price, find_price, instance_types
from tunestack.costs import CostReport, ResourceUse, run_cost, standing_cost
from tunestack.settings import load_settings
from tunestack.sizing import rules_of_thumb as rules


def test_the_textbook_figures_come_out() -> None:
    assert rules.fp32_inference_gb(1e9) == 4
    assert rules.fp32_inference_gb(70e9) == 280
    assert rules.full_fine_tuning_gb(1e9) == 24


@pytest.mark.parametrize(
    ("name", "parameters"),
    [("meta-llama/Llama-3.1-8B-Instruct", 8e9), ("HuggingFaceTB/SmolLM2-135M", 135e6), ("gpt2", None), ("Qwen2.5-0.5B", 0.5e9)],
)  # fmt: skip
def test_a_models_size_is_read_off_its_name(name: str, parameters: float | None) -> None:
    assert rules.parameters_from_name(name) == parameters


def test_every_price_has_its_source_and_date() -> None:
    price = find_instance_price("ml.g5.2xlarge", "training", region="us-east-1")
    assert price is not None and (price.usd, price.exact) == (1.515, True)
    assert price.source and price.as_of
    listed = find_instance_price("ml.g6e.xlarge", "training", region="us-east-1")
    assert listed is not None and not listed.exact
    assert find_instance_price("ml.g5.2xlarge", "training", region="eu-north-1") is None
    assert find_price("KMS", "Customer managed key", region="us-east-1").usd == 1.0


def test_the_catalogue_knows_what_an_instance_type_may_do() -> None:
    assert len(instance_types()) > 100
    p4d = find_instance("ml.p4d.24xlarge")
    assert p4d is not None and p4d.gpus == 8 and "processing" not in p4d.allowed_for and p4d.has_local_storage


def test_an_unpriced_type_is_named_and_never_silently_free() -> None:
    cost = standing_cost([ResourceUse(type="AWS::New::Thing"), ResourceUse(type="AWS::KMS::Key")], region="us-east-1")
    assert cost.usd_per_month == 1.0
    assert cost.unpriced == ("AWS::New::Thing",)
    assert "without a known price: AWS::New::Thing" in CostReport(standing=cost).line()


def test_endpoints_cost_by_zone() -> None:
    cost = standing_cost([ResourceUse(type="AWS::EC2::VPCEndpoint", units=3)], region="us-east-1")
    assert cost.usd_per_month == pytest.approx(3 * 0.01 * 730)


def test_a_runs_cost_is_bounded_by_its_time_limits() -> None:
    for name in ("dev", "prod"):
        cost = run_cost(load_settings(name))
        assert 0 < cost.expected_usd < cost.ceiling_usd
        assert {job.step for job in cost.jobs} == {"PrepareData", "FineTune", "EvaluateModels", "PackageModel", "BatchTransform"}  # fmt: skip
