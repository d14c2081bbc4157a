"""The table of jobs is whole, and whoever reads the definition refuses a job that the table doesn't know."""

import copy
from dataclasses import replace
from typing import Any

import pytest
from tunestack_training.__main__ import COMMANDS

from tests.changed_settings import changed_blueprint
from tunestack.costs.run import run_cost
from tunestack.definition.jobs import UnknownStepError, jobs_of
from tunestack.definition.service_model import OPERATIONS
from tunestack.job_api import APIS
from tunestack.jobs import JOBS, Made, job_of_key
from tunestack.pipeline import filled_in, placeholders
from tunestack.planning.quotas import quotas_of
from tunestack.settings.jobs import JobsSettings


def test_each_job_s_setting_is_a_key_of_the_environment_s_file() -> None:
    assert {job.setting for job in JOBS} == set(JobsSettings.model_fields)


def test_what_a_job_reads_was_written_by_a_job_before_it() -> None:
    earlier: set[tuple[str, str]] = set()
    for job in JOBS:
        assert {(item.job, item.output) for item in job.reads if isinstance(item, Made)} <= earlier
        earlier |= {(job.key, output.name) for output in job.writes}


def test_no_two_outputs_lie_in_the_same_folder() -> None:
    folders = [(output.place, output.name if output.place.shared else "") for job in JOBS for output in job.writes]
    assert len(folders) == len(set(folders))


def test_a_key_makes_a_name_of_a_construct_and_a_command_is_one_of_the_container_s() -> None:
    assert [job.key for job in JOBS if not job.key.isalnum() or not job.key.islower()] == []
    assert {job.command for job in JOBS} == set(COMMANDS)


def test_keys_steps_and_parameters_are_each_used_once() -> None:
    for names in ([job.key for job in JOBS], [job.step for job in JOBS]):
        assert len(names) == len(set(names))
    assert job_of_key("train").instance_parameter == "TrainInstanceType"


def test_the_kinds_of_job_are_those_that_the_service_creates() -> None:
    for api in APIS:
        assert OPERATIONS[api.step_type][0] == f"Create{api.noun}"
        assert api.log_group.removeprefix("/aws/sagemaker/") == f"{api.noun}s"


@pytest.mark.parametrize("env", ["dev", "prod"])
def test_every_job_is_a_step_that_is_priced_and_has_its_quota(env: str) -> None:
    blueprint = changed_blueprint(env)
    steps = [job.step for job in JOBS]
    assert [defined.step for defined in blueprint.jobs] == steps
    assert [cost.step for cost in blueprint.run.jobs] == steps
    assert {need.job for need in quotas_of(blueprint.jobs) if need.instance_type} == {job.key for job in JOBS}


def _with_step(**changes: Any) -> Any:
    definition = copy.deepcopy(dict(changed_blueprint("dev").definition))
    definition["Steps"].append({**copy.deepcopy(definition["Steps"][0]), **changes})
    return definition


@pytest.mark.parametrize(
    "changes",
    [{"Name": "AuditModel"}, {"Name": "SearchHyperparameters", "Type": "Tuning"}, {"Name": "FineTune"}],
    ids=["a job without an entry", "a kind that nobody reads", "a known name with another kind of job"],
)
def test_a_step_that_nobody_prices_is_refused_and_never_free(changes: dict[str, str]) -> None:
    with pytest.raises(UnknownStepError, match=rf"step {changes['Name']} .* no entry of tunestack/jobs\.py says"):
        jobs_of(_with_step(**changes))


def test_a_run_that_chooses_an_instance_type_is_priced_on_it() -> None:
    blueprint = changed_blueprint("prod")
    chosen = jobs_of(blueprint.definition, chosen={"TrainInstanceType": "ml.g6e.4xlarge"})
    train = next(job for job in run_cost(chosen, blueprint.workload).jobs if job.step == "FineTune")
    assert train.instance_type == "ml.g6e.4xlarge"


def test_an_instance_type_that_is_known_only_when_a_step_runs_is_an_error_that_names_the_step() -> None:
    definition = copy.deepcopy(dict(changed_blueprint("dev").definition))
    cluster = definition["Steps"][0]["Arguments"]["ProcessingResources"]["ClusterConfig"]
    for value in ({"Get": "Parameters.Unknown"}, {"Get": "Steps.FineTune.ResourceConfig.InstanceType"}):
        cluster["InstanceType"] = value
        with pytest.raises(UnknownStepError, match="step PrepareData: its instance type isn't known"):
            jobs_of(definition)


def test_a_tag_that_looks_like_a_placeholder_stays_what_it_is() -> None:
    blueprint = changed_blueprint("dev")
    environment = blueprint.settings.environment.model_copy(update={"tags": {"owner": "${team} ${Key}"}})
    resources = placeholders(replace(blueprint.settings, environment=environment))
    filled = filled_in(resources.job.tag_list(), {"Key": "secret"})
    assert {"Key": "owner", "Value": "${team} ${Key}"} in filled
