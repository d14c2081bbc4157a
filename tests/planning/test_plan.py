"""Plans: where a job fits, in the order of what it costs, and why something cheaper was refused."""

from typing import Any

import pytest

from tests.conftest import CONFIG
from tests.sizing.jobs import model
from tunestack.catalogue.instances import instance_types
from tunestack.catalogue.prices import find_instance_price
from tunestack.planning import Planning, PlanRequest, find_model, make_plans
from tunestack.planning.plan import TRAINED_OPTIMIZERS
from tunestack.settings.recipe import load_recipe
from tunestack.sizing.job.fine_tuning import FineTuning, SizingError
from tunestack.sizing.job.recipe_job import OPTIMIZERS, job_of_recipe

LLAMA_8B, LLAMA_70B = find_model("meta-llama/Llama-3.1-8B"), find_model("meta-llama/Llama-3.1-70B")


def qlora(**chosen: Any) -> FineTuning:
    return FineTuning(
        **{
            "method": "lora",
            "quantization": "nf4",
            "double_quant": True,
            "per_device_train_batch_size": 1,
            "max_length": 1024,
            **chosen,
        }
    )


def plans(**chosen: Any) -> Planning:
    return make_plans(PlanRequest(**{"architecture": LLAMA_8B, "job": qlora(), "tokens": 10_000_000, **chosen}))


def test_plans_are_ranked_by_cost_and_each_surely_fits() -> None:
    found = plans().plans
    priced = [plan.usd for plan in found if plan.usd is not None]
    assert len(priced) > 20 and priced == sorted(priced)
    assert all(plan.usd is None for plan in found[len(priced) :])
    assert {plan.candidate.fit for plan in found} == {"yes"}


def test_a_plan_says_batch_accumulation_hours_dollars_and_quota() -> None:
    plan = plans(instance_types=("ml.g5.2xlarge",)).plans[0]
    job = plan.candidate.job
    assert job.per_device_train_batch_size * job.gradient_accumulation_steps == 16
    assert 0 < plan.hours_low < plan.hours < plan.hours_high
    assert plan.usd == pytest.approx(plan.hours * 1.515)
    assert plan.quota is not None and plan.quota.code == "L-2D6DEB3C"
    assert plan.spot_usd is not None and plan.usd is not None and plan.spot_usd < plan.usd


def test_8b_qlora_is_planned_on_one_24_gb_gpu() -> None:
    assert [plan.instance.name for plan in plans(instance_types=("ml.g5.xlarge",)).plans] == ["ml.g5.xlarge"]


def test_what_does_not_fit_is_refused_with_its_figures() -> None:
    found = plans(architecture=LLAMA_70B, instance_types=("ml.g5.2xlarge",), max_instances=1)
    assert not found.plans
    assert "does not fit: needs" in found.refusals[0].reason and "of a GPU's 22.1 GiB" in found.refusals[0].reason


def test_full_fine_tuning_of_70b_is_sharded_over_several_machines_or_refused() -> None:
    found = plans(architecture=LLAMA_70B, job=qlora(method="full", quantization="none"))
    assert found.plans and all(plan.candidate.job.sharding == "fsdp" for plan in found.plans)
    assert any(refusal.instance_type == "ml.g5.2xlarge" for refusal in found.refusals)


def test_a_deadline_moves_the_plan_to_more_or_faster_gpus() -> None:
    slow, fast = plans(instance_types=("ml.g5.2xlarge",)), plans(instance_types=("ml.g5.2xlarge",), deadline_hours=2.5)
    assert slow.plans[0].candidate.count == 1
    assert fast.plans[0].candidate.count > 1 and fast.plans[0].hours <= 2.5


def test_a_budget_refuses_with_the_cost() -> None:
    found = plans(budget_usd=1.0)
    assert not [plan for plan in found.plans if plan.usd and plan.usd > 1]
    assert any("the budget is $1.00" in refusal.reason for refusal in found.refusals)


def test_an_unknown_price_stays_unknown_and_comes_last() -> None:
    found = plans(region="eu-west-1").plans
    assert found and any(plan.usd is None for plan in found)


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ({"tokens": 0}, "tokens must be from 1 to .*, got 0"),
        ({"deadline_hours": -1}, "deadline_hours must be greater than 0, got -1"),
        ({"spot_savings": 1.0}, r"spot_savings must be in \[0, 1\), got 1"),
        ({"instance_types": ("ml.g5.3xlarge",)}, "unknown instance type 'ml.g5.3xlarge'; did you mean"),
    ],
)
def test_a_request_that_cannot_be_is_refused(chosen: dict[str, Any], message: str) -> None:
    with pytest.raises(SizingError, match=message):
        plans(**chosen)


@pytest.mark.parametrize("path", sorted(CONFIG.rglob("recipes/*.yaml")), ids=lambda path: path.stem)
def test_every_recipe_can_be_planned(path: Any) -> None:
    recipe = load_recipe(path, name=path.name)
    found = plans(architecture=find_model(recipe.model.name_or_path), job=job_of_recipe(recipe))
    assert found.plans


def test_every_gpu_instance_that_may_train_is_planned_or_refused() -> None:
    found = plans()
    named = {plan.instance.name for plan in found.plans} | {refusal.instance_type for refusal in found.refusals}
    assert named == {name for name, item in instance_types().items() if item.gpus and "training" in item.allowed_for}


def test_the_rate_of_a_public_bill_is_the_catalogue_s() -> None:
    # Llama-2-13B QLoRA on ml.g5.4xlarge: 31,728 billed seconds, $17.89.
    price = find_instance_price("ml.g5.4xlarge", "training", region="us-east-1")
    assert price is not None and price.usd * 31_728 / 3600 == pytest.approx(17.89, abs=0.005)


@pytest.mark.parametrize("rows", [1, 5, 24])
def test_a_step_sees_exactly_the_rows_that_were_asked_for(rows: int) -> None:
    found = plans(effective_batch=rows)
    for plan in found.plans:
        job = plan.candidate.job
        assert job.per_device_train_batch_size * job.gradient_accumulation_steps * job.gpus == rows
    assert any("can't be shared equally by 8 GPUs" in refusal.reason for refusal in found.refusals) == (rows % 8 != 0)


def test_a_budget_refuses_what_has_no_known_price() -> None:
    found = plans(budget_usd=1000.0)
    assert all(plan.usd is not None for plan in found.plans)
    assert any("its price in us-east-1 isn't known" in refusal.reason for refusal in found.refusals)


def test_prefix_tuning_is_never_planned_with_checkpointing() -> None:
    found = plans(job=qlora(method="prefix_tuning", virtual_tokens=20)).plans
    assert found and {plan.candidate.job.checkpointing for plan in found} == {"none"}


def test_full_fine_tuning_under_fsdp_holds_what_trains_in_fp32() -> None:
    found = plans(
        architecture=LLAMA_8B, job=qlora(method="full", quantization="none"), instance_types=("ml.p4d.24xlarge",)
    )
    job = found.plans[0].candidate.job
    assert (job.sharding, job.kept_dtype) == ("fsdp", "fp32")
    states = found.plans[0].candidate.memory.components()
    kept = sum(size for name, size in states.items() if name.startswith(("weights", "optimizer states")))
    assert kept >= LLAMA_8B.parameters * (4 + 8) / job.gpus * 0.99


def test_what_this_kit_can_t_run_is_marked() -> None:
    found = plans(instance_types=("ml.g5.xlarge", "ml.g5.12xlarge"))
    marked = {plan.instance.name: plan.not_by_this_kit for plan in found.plans}
    assert marked["ml.g5.xlarge"] is None and marked["ml.g5.12xlarge"] == "this kit trains on one GPU"
    (full,) = plans(
        architecture=LLAMA_8B, job=qlora(method="full", quantization="none"), instance_types=("ml.p6-b200.48xlarge",)
    ).plans[:1]
    assert full.not_by_this_kit is not None


def test_what_no_recipe_can_say_is_marked_too() -> None:
    assert set(TRAINED_OPTIMIZERS) == set(OPTIMIZERS.values())
    for changed, reason in (
        ({"quantization": "int2"}, "16 bit, NF4 or FP4"),
        ({"optimizer": "muon"}, "no optimizer muon"),
    ):
        (found,) = plans(job=qlora(**changed), instance_types=("ml.p5.4xlarge",)).plans[:1]
        assert reason in str(found.not_by_this_kit)


def best(**chosen: Any) -> Any:
    return plans(instance_types=("ml.p5.4xlarge",), **chosen).plans[0]


def test_what_is_trained_for_costs_memory_and_time() -> None:
    sft, dpo, reward = (best(objective=name) for name in ("sft", "dpo", "reward"))
    # Of a pair both rows are tokens: the reference's forward pass is what comes on top.
    assert sft.hours < dpo.hours < 1.5 * sft.hours
    assert reward.candidate.tokens_per_second == pytest.approx(sft.candidate.tokens_per_second, rel=0.3)
    grpo = best(objective="grpo")
    assert grpo.hours > 2 * sft.hours
    # From an engine's speed to that of transformers' own generate.
    rates = [item.candidate.rate for item in (sft, grpo)]
    assert rates[1].high / rates[1].low > rates[0].high / rates[0].low * 0.5
    assert "generating and scoring" in rates[1].seconds
    assert grpo.not_by_this_kit == "this kit trains no grpo from a recipe"


def test_what_is_offloaded_must_have_room_on_the_host() -> None:
    job = qlora(method="full", quantization="none")
    big = model("meta-llama/Llama-3.1-70B")
    refused = plans(architecture=big, job=job, cpu_offload=True, instance_types=("ml.g5.12xlarge",))
    assert any("offloads" in item.reason and "have room for" in item.reason for item in refused.refusals)
    fits = plans(job=job, cpu_offload=True, instance_types=("ml.g5.48xlarge",)).plans[0]
    assert fits.candidate.job.cpu_offload and fits.candidate.memory.device_bytes < 10e9
