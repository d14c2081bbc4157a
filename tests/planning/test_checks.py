"""Checks: what would not fit, or cost or take too much, stops a synthesis with its figures and what would work."""

from dataclasses import replace
from typing import Any

import pytest

from tests.changed_settings import changed, changed_blueprint
from tunestack.costs.workload import Workload, workload_of
from tunestack.planning.auto import resolve_auto
from tunestack.planning.blueprint import blueprint_of
from tunestack.planning.checks import failed_checks, failed_month_checks, time_risks, waive
from tunestack.settings.loading import Settings, load_settings
from tunestack.settings.problems import SettingsError


def train_on(name: str, **fields: Any) -> dict[str, Any]:
    jobs = load_settings("prod").environment.jobs
    return {"train": jobs.train.model_copy(update={"instance_type": name, "allowed_instance_types": [], **fields})}


def lines(settings: Settings) -> list[str]:
    return [str(item.problem) for item in failed_checks(blueprint_of(settings))]


@pytest.mark.parametrize("name", ["dev", "local", "staging", "prod"])
def test_the_shipped_environments_pass(name: str) -> None:
    assert lines(load_settings(name)) == []


def test_a_training_that_does_not_fit_names_its_need_the_gpu_and_what_fits() -> None:
    found = lines(changed(recipe={"training": {"max_length": 8192, "per_device_train_batch_size": 4}}))
    assert any("config/prod.yaml: jobs.train: ml.g5.2xlarge: the training needs" in line for line in found)
    assert any("GiB of its A10G; ml." in line and "is the cheapest type that it fits" in line for line in found)


@pytest.mark.parametrize("name", ["ml.m5.xlarge", "ml.trn1.2xlarge"])
def test_a_training_without_a_gpu_of_nvidia_s_is_refused(name: str) -> None:
    found = lines(changed(jobs=train_on(name)))
    assert any(f"jobs.train: {name}: has no GPU of NVIDIA's, which the training needs; ml." in line for line in found)


def test_what_fits_no_single_gpu_says_so() -> None:
    big = {"model": {"name_or_path": "meta-llama/Llama-3.1-405B"}}
    assert any("no single GPU fits it" in line for line in lines(changed(recipe=big)))


def test_packing_and_serving_need_their_host_s_memory() -> None:
    found = lines(changed(recipe={"model": {"name_or_path": "meta-llama/Llama-3.1-70B"}}))
    assert any("jobs.package: ml.m5.4xlarge: fusing the model needs about 267 GiB" in line for line in found)
    assert any("jobs.transform: ml.m5.12xlarge: serving the model needs about 2" in line for line in found)


def test_an_adapter_that_stays_apart_needs_no_fusing_and_is_served_on_its_quantised_base() -> None:
    apart: dict[str, dict[str, Any]] = {
        "model": {"name_or_path": "meta-llama/Llama-3.1-70B"},
        "package": {"fuse": False},
    }
    found = lines(changed(recipe=apart))
    assert not any("jobs.package" in line or "jobs.transform" in line for line in found)


def test_a_transform_on_a_gpu_needs_the_gpu_s_memory() -> None:
    jobs = load_settings("prod").environment.jobs
    on_gpu = jobs.transform.model_copy(
        update={"instance_type": "ml.g4dn.xlarge", "ami_version": "al2-ami-sagemaker-batch-gpu-535"}
    )
    (found,) = lines(changed(jobs={"transform": on_gpu}))
    assert "jobs.transform: ml.g4dn.xlarge: serving the model needs 21.0 GiB" in found and "GiB of its T4; ml." in found


def moved(job: str, name: str, **recipe: dict[str, Any]) -> list[str]:
    jobs = load_settings("prod").environment.jobs
    moved_job = getattr(jobs, job).model_copy(update={"instance_type": name, "allowed_instance_types": []})
    return lines(changed(recipe=recipe, jobs={job: moved_job}))


def test_scoring_counts_the_fp32_copy_of_the_logits() -> None:
    long = {"training": {"max_length": 2048}, "evaluation": {"batch_size": 16}}
    assert any(
        "jobs.evaluate: ml.g5.2xlarge: scoring 16 rows at a time needs" in line for line in lines(changed(recipe=long))
    )


def test_serving_counts_the_rows_that_are_answered_at_a_time() -> None:
    found = moved("transform", "ml.g5.2xlarge", training={"max_length": 8192})
    assert any("jobs.transform: ml.g5.2xlarge: serving the model needs" in line for line in found)


@pytest.mark.parametrize(
    ("job", "name", "message"),
    [
        (
            "package",
            "ml.g4dn.xlarge",
            "jobs.package: ml.g4dn.xlarge: fusing the model needs about 30 GiB of the 14.6",
        ),
        ("evaluate", "ml.m5.large", "jobs.evaluate: ml.m5.large: scoring 4 rows at a time needs about"),
        ("train", "ml.m5.large", "jobs.train: ml.m5.large: has no GPU"),
    ],
)
def test_each_job_is_held_to_the_gpu_or_the_host_that_it_runs_on(job: str, name: str, message: str) -> None:
    assert any(message in line for line in moved(job, name))


def test_a_run_over_budget_names_the_most_expensive_step() -> None:
    found = lines(changed(budget={"run_usd": 1.0}))
    assert any(
        "budget.run_usd: a run is expected to cost $3." in line and "FineTune on ml.g5.2xlarge" in line
        for line in found
    )


def test_a_time_limit_or_deadline_that_cannot_be_met_is_refused() -> None:
    found = lines(changed(costs={"training_tokens": 500_000_000}, budget={"deadline_hours": 10}))
    assert any("no type is fast enough; fewer tokens or a larger limit work" in line for line in found)
    found = lines(changed(costs={"training_tokens": 20_000_000}, budget={"deadline_hours": 10}))
    assert any("jobs.train.max_runtime_minutes: the training is expected to take" in line for line in found)
    assert any("budget.deadline_hours" in line and "the deadline is 10 h; ml." in line for line in found)
    short = lines(changed(jobs=train_on("ml.g5.2xlarge", max_runtime_minutes=6)))
    assert any("would be stopped after 6 min; " in line for line in short)


def test_a_deadline_that_the_slow_end_of_the_estimate_misses_is_a_risk_not_a_refusal() -> None:
    assert time_risks(changed_blueprint(budget={"deadline_hours": 10})) == ()
    slow = changed(costs={"training_tokens": 6_000_000}, budget={"deadline_hours": 10})
    assert not any("deadline" in line for line in lines(slow))
    (risk,) = time_risks(blueprint_of(slow))
    assert "budget.deadline_hours: the training may take longer than is allowed" in risk and "is 10 h" in risk


def test_a_month_counts_runs_and_stacks() -> None:
    blueprint = changed_blueprint(budget={"month_usd": 150.0, "runs_per_month": 10})
    assert failed_month_checks(blueprint, standing_usd=0) == []
    (problem,) = failed_month_checks(blueprint, standing_usd=140)
    assert "10 runs at $3." in str(problem.problem) and "$140.00 for the stacks" in str(problem.problem)


def test_an_allowed_check_is_waived_and_recorded_an_unknown_one_is_refused() -> None:
    failed = failed_checks(changed_blueprint(budget={"run_usd": 1.0}))
    with pytest.raises(SettingsError, match=r"budget\.run_usd"):
        waive(failed, allow=["memory"])
    (line,) = waive(failed, allow=["budget"])
    assert line.startswith("waived by -c allow=budget: config/prod.yaml: budget.run_usd")
    with pytest.raises(SettingsError, match="no check 'budgte'; did you mean 'budget'"):
        waive([], allow=["budgte"])


def auto(name: str = "prod", **training: Any) -> Workload:
    both = {"per_device_train_batch_size": "auto", "gradient_accumulation_steps": "auto"}
    return workload_of(changed(name, recipe={"training": {**both, **training}}))


def number(value: Any) -> int:
    assert isinstance(value, int)
    return value


def test_auto_is_the_largest_batch_that_fits_every_type_that_a_run_may_choose() -> None:
    chosen = resolve_auto(auto()).recipe.training
    batch = number(chosen.per_device_train_batch_size)
    assert batch * number(chosen.gradient_accumulation_steps) == 16
    assert lines(changed(recipe={"training": {"per_device_train_batch_size": batch}})) == []
    longer = resolve_auto(auto(max_length=512)).recipe.training
    assert number(longer.per_device_train_batch_size) > batch


def test_auto_leaves_numbers_as_they_are() -> None:
    workload = workload_of(load_settings("dev"))
    assert resolve_auto(workload) is workload
    kept = resolve_auto(auto(gradient_accumulation_steps=5)).recipe.training
    assert kept.gradient_accumulation_steps == 5


def test_auto_needs_a_model_that_is_known() -> None:
    settings = changed(
        recipe={"model": {"name_or_path": "my/own"}, "training": {"per_device_train_batch_size": "auto"}}
    )
    with pytest.raises(
        SettingsError, match=r"config/recipes/llama-3.1-8b-qlora.yaml: .*auto needs a model that is known"
    ):
        blueprint_of(settings)


def test_a_budget_is_not_kept_by_counting_unknown_prices_as_nothing() -> None:
    settings = changed(budget={"run_usd": 1000.0})
    elsewhere = replace(settings, environment=settings.environment.model_copy(update={"region": "eu-north-1"}))
    assert any("budget: no price is known in eu-north-1 of ml." in line for line in lines(elsewhere))


BATCH: dict[str, Any] = {"per_device_train_batch_size": 1, "gradient_accumulation_steps": 16}
UNKNOWN: dict[str, dict[str, Any]] = {"model": {"name_or_path": "acme/our-llm-70b"}, "training": BATCH}


def test_what_is_not_known_of_a_model_passes_no_check_that_needs_it() -> None:
    settings = changed(recipe=UNKNOWN, budget={"run_usd": 5.0, "deadline_hours": 10.0})
    failed = failed_checks(blueprint_of(settings))
    assert {item.check for item in failed} == {"memory", "budget", "deadline"}
    assert all("the size of acme/our-llm-70b isn't known" in str(item.problem) for item in failed)
    assert all("costs.config_json" in str(item.problem) for item in failed)
    with pytest.raises(SettingsError, match="model.name_or_path"):
        waive(failed, allow=["budget", "deadline"])
    assert len(waive(failed, allow=["memory", "budget", "deadline"])) == 3


def test_a_run_of_a_model_that_is_not_known_has_no_figure_but_the_most_that_it_may_cost() -> None:
    run, known = blueprint_of(changed(recipe=UNKNOWN)).run, blueprint_of(changed()).run
    assert (run.low_usd, run.expected_usd) == (None, None)
    # The time limits hold whatever the model is.
    assert run.ceiling_usd == known.ceiling_usd
    assert {job.step for job in run.jobs if job.expected_hours is None} == {
        "FineTune",
        "EvaluateModels",
        "PackageModel",
    }
    assert any("neither hours nor dollars" in line for line in run.assumptions)


def test_one_letter_wrong_in_a_model_s_name_names_the_one_that_is_known() -> None:
    recipe = {**UNKNOWN, "model": {"name_or_path": "meta-llama/Llama-3.1-8b"}}
    found = lines(changed(recipe=recipe))
    assert found and all("did you mean 'meta-llama/Llama-3.1-8B'?" in line for line in found)


def test_on_this_machine_nothing_is_paid_and_any_model_may_be_tried() -> None:
    assert lines(changed("local", recipe=UNKNOWN)) == []


@pytest.mark.parametrize("change", [{}, {"max_length": 8192}, {"max_steps": 10}])
def test_not_knowing_a_model_never_passes_a_check_that_knowing_it_fails(change: dict[str, Any]) -> None:
    training: dict[str, dict[str, Any]] = {"training": {**BATCH, **change}}
    known = changed(recipe={"model": {"name_or_path": "meta-llama/Llama-3.1-70B"}, **training})
    unknown = changed(recipe={**UNKNOWN, **training})
    failed = [{item.check for item in failed_checks(blueprint_of(settings))} for settings in (known, unknown)]
    assert "memory" in failed[0] and failed[0] - {"deadline"} <= failed[1]
