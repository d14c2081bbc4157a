"""TrainerRole: brings data, runs the pipeline, reads results; never deploys, approves or writes what jobs write."""

import fnmatch
from typing import Any

import pytest
from aws_cdk import Stack
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk.assertions import Match
from tunestack_cdk.person_role import Workplace, people
from tunestack_cdk.trainer_role import TrainerRole

from tests.tunestack_cdk.conftest import statements
from tunestack.layout import DATASETS, EVALUATIONS, Bucket


@pytest.fixture
def made(stack: Stack, key: kms.Key, bucket: s3.Bucket, template: Any) -> Any:
    workplace = Workplace(
        pipeline_name="mine", model_package_group_name="mine", stack_prefix="kit-dev", key=key,
        buckets={Bucket.RAW_DATA: bucket, Bucket.RESULTS: s3.Bucket(stack, "Results")},
    )  # fmt: skip
    tagged = people([], tag="kit-dev", value="trainer")
    TrainerRole(
        stack, "Trainer", workplace=workplace, brings=[DATASETS], reads=[EVALUATIONS], assumed_by=tagged
    )  # fmt: skip
    return template()


def actions(made: Any) -> dict[str, list[str]]:
    """Each action that is allowed, with the resources as text."""
    found: dict[str, list[str]] = {}
    for item in statements(made, "Trainer"):
        for action in [item["Action"]] if isinstance(item["Action"], str) else item["Action"]:
            found.setdefault(action, []).append(str(item["Resource"]))
    return found


def test_whoever_in_this_account_has_the_tag_takes_it_on(made: Any) -> None:
    principal = {"AWS": {"Fn::Join": ["", Match.array_with([":iam::", {"Ref": "AWS::AccountId"}, ":root"])]}}
    trust = {"Action": "sts:AssumeRole", "Principal": principal}
    trust["Condition"] = {"StringEquals": {"aws:PrincipalTag/kit-dev": "trainer"}}
    made.has_resource_properties(
        "AWS::IAM::Role", {"AssumeRolePolicyDocument": {"Statement": [Match.object_like(trust)]}}
    )


def test_it_writes_what_people_bring_and_reads_results_too(made: Any) -> None:
    found = actions(made)
    assert all("/datasets/*" in resource for resource in found["s3:PutObject"])
    assert any("/evaluations/*" in resource for resource in found["s3:GetObject"])
    assert not any("/evaluations/*" in resource for resource in found["s3:PutObject"])


@pytest.mark.parametrize(
    "never",
    [
        "sagemaker:UpdateModelPackage",
        "sagemaker:Create*",
        "sagemaker:UpdatePipeline",
        "iam:*",
        "s3:Delete*",
        "kms:Put*",
    ],
)
def test_it_can_neither_deploy_nor_approve_nor_delete(never: str, made: Any) -> None:
    found = actions(made)
    assert "sagemaker:StartPipelineExecution" in found
    assert not any(fnmatch.fnmatch(action, never) or fnmatch.fnmatch(never, action) for action in found)


def test_it_runs_one_pipeline_and_looks_at_its_jobs_alone(made: Any) -> None:
    found = actions(made)
    assert all("pipeline/mine" in resource for resource in found["sagemaker:StartPipelineExecution"])
    assert all("pipeline/mine/execution/*" in resource for resource in found["sagemaker:StopPipelineExecution"])
    assert all("training-job/pipelines-*" in resource for resource in found["sagemaker:DescribeTrainingJob"])
