"""PipelineRole: starts jobs of its own naming, hands over the jobs' roles to SageMaker alone."""

from typing import Any

import pytest
from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from tunestack_cdk.pipeline_role import PipelineRole

from tests.tunestack_cdk.conftest import statements
from tunestack.job_api import APIS


@pytest.fixture
def allowed(stack: Stack, key: kms.Key, bucket: s3.Bucket, template: Any) -> list[dict[str, Any]]:
    job = iam.Role(stack, "JobRole", assumed_by=iam.ServicePrincipal("sagemaker.amazonaws.com"))
    PipelineRole(
        stack, "PipelineRole", job_roles=[job], group_name="models", property_files=[(bucket, "executions")], key=key
    )
    return statements(template(), "PipelineRole")


def test_it_passes_the_jobs_roles_to_sagemaker_alone(allowed: list[dict[str, Any]]) -> None:
    (passing,) = [item for item in allowed if item["Action"] == "iam:PassRole"]
    assert passing["Condition"] == {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
    assert passing["Resource"]["Fn::GetAtt"][0].startswith("JobRole")


def test_it_starts_and_stops_each_kind_of_job_under_the_pipeline_s_names(allowed: list[dict[str, Any]]) -> None:
    for api in APIS:
        (starting,) = [item for item in allowed if f"sagemaker:Create{api.noun}" in item["Action"]]
        assert {f"sagemaker:Describe{api.noun}", f"sagemaker:Stop{api.noun}"} <= set(starting["Action"])
        assert f":{api.resource}/pipelines-*" in str(starting["Resource"])


def test_it_reads_property_files_and_no_other_data(allowed: list[dict[str, Any]]) -> None:
    reading = [item for item in allowed if "s3:GetObject" in item["Action"]]
    assert len(reading) == 1 and "/executions/*" in str(reading[0]["Resource"])
