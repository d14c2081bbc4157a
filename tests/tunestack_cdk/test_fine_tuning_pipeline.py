"""FineTuningPipeline: the definition inline with every placeholder filled in, a role for each job, nothing invalid."""

import copy
import json
from typing import Any

import pytest
from aws_cdk import Stack
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from tunestack_cdk.fine_tuning_pipeline import FineTuningPipeline, JobImage

from tests.changed_settings import changed, changed_blueprint
from tests.tunestack_cdk.conftest import statements
from tunestack.definition.graph import placed_steps
from tunestack.definition.jobs import api_of
from tunestack.executions.parameters import declared_parameters, wrong_parameters
from tunestack.jobs import JOBS
from tunestack.layout import EVALUATIONS, Bucket, Image
from tunestack.pipeline import filled_in, placeholders


def make(stack: Stack, key: kms.Key, bucket: s3.Bucket, repository: ecr.Repository, definition: Any) -> None:
    FineTuningPipeline(
        stack, "FineTuning", pipeline_name="kit", description="A pipeline", definition=definition,
        buckets=dict.fromkeys(Bucket, bucket), key=key, network=None,
        images=dict.fromkeys(Image, JobImage(repository=repository, uri="123456789012.dkr.ecr/kit:1")),
        model_package_group_name="models",
    )  # fmt: skip


def test_nothing_is_left_to_fill_in_and_each_job_has_its_role(
    stack: Stack, key: kms.Key, bucket: s3.Bucket, repository: ecr.Repository, template: Any
) -> None:
    make(stack, key, bucket, repository, changed_blueprint("dev").definition)
    found = template()
    (pipeline,) = found.find_resources("AWS::SageMaker::Pipeline").values()
    body = json.dumps(pipeline["Properties"]["PipelineDefinition"]["PipelineDefinitionBody"])
    assert "${tunestack:" not in body
    roles = found.find_resources("AWS::IAM::Role")
    for job in JOBS:
        (role,) = [name for name in roles if name.startswith(f"FineTuning{job.title}Role")]
        assert f'"{role}"' in body


def test_only_the_training_may_delete_and_only_checkpoints(
    stack: Stack, key: kms.Key, bucket: s3.Bucket, repository: ecr.Repository, template: Any
) -> None:
    make(stack, key, bucket, repository, changed_blueprint("dev").definition)
    deleting = {
        job.key: str(item["Resource"])
        for job in JOBS
        for item in statements(template(), f"FineTuning{job.title}Role")
        if "s3:DeleteObject" in item["Action"]
    }
    assert deleting.keys() == {"train"} and "/checkpoints/*" in deleting["train"]


def test_a_definition_that_the_service_would_refuse_is_refused_here(
    stack: Stack, key: kms.Key, bucket: s3.Bucket, repository: ecr.Repository
) -> None:
    broken = copy.deepcopy(dict(changed_blueprint("dev").definition))
    del broken["Steps"][0]["Arguments"]["RoleArn"]
    with pytest.raises(ValueError, match="would be refused:\nPrepareData: missing RoleArn"):
        make(stack, key, bucket, repository, broken)


def test_a_placeholder_that_nothing_stands_for_is_an_error_and_never_deployed() -> None:
    settings = changed_blueprint("prod").settings
    assert filled_in(["a/${tunestack:Key}/b"], {"Key": "k"}) == ["a/k/b"]
    vpc = placeholders(settings).job.vpc
    assert vpc is not None
    with pytest.raises(KeyError, match="JobSecurityGroup"):
        filled_in(vpc.to_request(), {})


def test_every_job_carries_the_environments_tags() -> None:
    blueprint = changed_blueprint("prod")
    tags = [{"Key": "environment", "Value": "prod"}, {"Key": "project", "Value": "tunestack"}]
    steps = [step for step in placed_steps(blueprint.definition["Steps"]) if api_of(step.entry["Type"])]
    assert len(steps) == len(JOBS)
    assert all(step.own_arguments["Tags"] == tags for step in steps)


def test_what_the_gate_reads_only_the_evaluation_may_write(
    stack: Stack, key: kms.Key, bucket: s3.Bucket, repository: ecr.Repository, template: Any
) -> None:
    make(stack, key, bucket, repository, changed_blueprint("dev").definition)
    writing = {
        job.key
        for job in JOBS
        for item in statements(template(), f"FineTuning{job.title}Role")
        if "s3:PutObject" in item["Action"] and f"/{EVALUATIONS.prefix}/*" in str(item["Resource"])
    }
    assert writing == {"evaluate"}


def test_a_version_is_registered_with_the_limits_that_it_passed() -> None:
    steps = {step.name: step for step in placed_steps(changed_blueprint("prod").definition["Steps"])}
    registered = steps["RegisterModel"].own_arguments["CustomerMetadataProperties"]
    assert "Parameters.MaxHeldoutLossRatio" in str(registered["max_heldout_loss_ratio"])
    assert "Parameters.MaxGeneralLossRatio" in str(registered["max_general_loss_ratio"])


def test_a_run_can_be_stricter_than_the_deployed_recipe_and_never_more_lenient() -> None:
    definition = changed_blueprint("prod").definition
    (gate,) = [step for step in placed_steps(definition["Steps"]) if step.entry["Type"] == "Condition"]
    limits = [condition["RightValue"] for condition in gate.entry["Arguments"]["Conditions"]]
    assert limits == [
        {"Get": "Parameters.MaxHeldoutLossRatio"}, 0.98, {"Get": "Parameters.MaxGeneralLossRatio"}, 1.1,
        {"Get": "Parameters.MaxHeldoutErrorRate"}, 1.0, {"Get": "Parameters.MaxHeldoutErrorIncrease"}, 1.0,
    ]  # fmt: skip
    declared = declared_parameters(definition)
    recipe = changed("prod").recipe
    assert list(wrong_parameters(declared, {"MaxHeldoutLossRatio": "0.9"}, recipe)) == []
    (problem,) = wrong_parameters(declared, {"MaxHeldoutLossRatio": "0.99"}, recipe)
    assert "must be at most 0.98, the deployed recipe's limit, got 0.99: a run may be stricter only" in problem
