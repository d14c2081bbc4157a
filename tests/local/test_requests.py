"""The local AWS refuses what the service refuses once a step's request is resolved, with its error code."""

from pathlib import Path
from typing import Any

import pytest

from tunestack.local.authorization.ledger import Entry, Ledger, read_ledger
from tunestack.local.emulator.requests import check_request, shaped
from tunestack.local.runner.errors import ApiError
from tunestack.permissions.calls import needed_by
from tunestack.permissions.job_role import needed_by_role

VERSION: dict[str, Any] = {
    "ModelPackageGroupName": "models",
    "InferenceSpecification": {
        "Containers": [
            {"Image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/kit:1", "ModelDataUrl": "s3://b/model.tar.gz"}
        ],
        "SupportedContentTypes": ["application/jsonlines"],
        "SupportedResponseMIMETypes": ["application/jsonlines"],
    },
}


def test_a_version_as_ours_is_accepted() -> None:
    check_request(
        "CreateModelPackage", {**VERSION, "CustomerMetadataProperties": {"evaluation": "a.b 0.69 = 2.7 / 3.8 - c"}}
    )


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"CustomerMetadataProperties": {"evaluation": "0.69 (base 3.8, tuned 2.7)"}}, "evaluation: must match"),
        ({"CustomerMetadataProperties": {"base_model_uri": "s3://" + "a" * 260}}, "at most 256 characters"),
        ({"ModelApprovalStatus": "Aproved"}, "did you mean 'Approved'"),
        ({"ModelPackageGrupName": "models"}, "unknown member"),
    ],
)
def test_what_an_expression_hid_at_synth_is_refused_when_it_is_resolved(changed: dict[str, Any], problem: str) -> None:
    with pytest.raises(ApiError, match=problem) as refused:
        check_request("CreateModelPackage", {**VERSION, **changed})
    assert refused.value.code == "ValidationException"


PROCESSING: dict[str, Any] = {
    "ProcessingJobName": "job",
    "RoleArn": "arn:aws:iam::123456789012:role/prepare",
    "AppSpecification": {"ImageUri": "123456789012.dkr.ecr.us-east-1.amazonaws.com/kit:1"},
    "ProcessingResources": {
        "ClusterConfig": {
            "InstanceCount": 1, "InstanceType": "ml.m5.xlarge", "VolumeSizeInGB": 30, "VolumeKmsKeyId": "key",
        },
    },
}  # fmt: skip


def test_rules_that_shapes_do_not_show_are_kept_after_resolution_and_the_kit_s_own_are_not_the_service_s() -> None:
    check_request("CreateProcessingJob", {**PROCESSING, "Environment": {"HF_TOKEN": "a secret of ours to refuse"}})
    on_gpu = {**PROCESSING["ProcessingResources"]["ClusterConfig"], "InstanceType": "ml.g5.2xlarge"}
    with pytest.raises(ApiError, match="VolumeKmsKeyId: is refused with ml.g5.2xlarge"):
        check_request("CreateProcessingJob", {**PROCESSING, "ProcessingResources": {"ClusterConfig": on_gpu}})


def test_an_answer_has_the_members_of_the_api_s_and_no_others() -> None:
    record = {"PipelineExecutionArn": "arn", "PipelineExecutionStatus": "Succeeded", "Account": "1", "Steps": []}
    assert shaped("DescribePipelineExecution", record) == {
        "PipelineExecutionArn": "arn", "PipelineExecutionStatus": "Succeeded",
    }  # fmt: skip


ACCOUNT: dict[str, str] = {"account": "123456789012", "region": "us-east-1"}
ARN = "arn:aws:sagemaker:us-east-1:123456789012"


@pytest.mark.parametrize(
    ("action", "request_", "needed"),
    [
        (
            "StartPipelineExecution",
            {"PipelineName": "Kit"},
            [("sagemaker:StartPipelineExecution", f"{ARN}:pipeline/kit")],
        ),
        (
            "DescribePipelineExecution",
            {"PipelineExecutionArn": f"{ARN}:pipeline/kit/execution/abc"},
            [("sagemaker:DescribePipelineExecution", f"{ARN}:pipeline/kit/execution/abc")],
        ),
        (
            "ListPipelineExecutions",
            {"PipelineName": "kit"},
            [("sagemaker:ListPipelineExecutions", f"{ARN}:pipeline/kit")],
        ),
        ("ListTrainingJobs", {}, [("sagemaker:ListTrainingJobs", "*")]),
        (
            "CreateProcessingJob",
            {**PROCESSING, "Tags": [{"Key": "a", "Value": "b"}]},
            [
                ("sagemaker:CreateProcessingJob", f"{ARN}:processing-job/job"),
                ("sagemaker:AddTags", f"{ARN}:processing-job/job"),
                ("iam:PassRole", "arn:aws:iam::123456789012:role/prepare"),
                ("kms:DescribeKey", "key"),
                ("kms:CreateGrant", "key"),
            ],
        ),
        (
            "CreateModelPackage",
            {"ModelPackageGroupName": "models"},
            [
                ("sagemaker:CreateModelPackage", f"{ARN}:model-package/models/*"),
                ("sagemaker:CreateModelPackage", f"{ARN}:model-package-group/models"),
            ],
        ),
    ],
)
def test_a_call_needs_its_action_and_what_comes_with_it(
    action: str, request_: dict[str, Any], needed: list[tuple[str, str]]
) -> None:
    assert [(item.action, item.resource) for item in needed_by(action, request_, **ACCOUNT)] == needed


def test_a_role_is_passed_to_sagemaker_and_a_grant_is_made_for_a_resource_of_aws() -> None:
    contexts = {item.action: item.context for item in needed_by("CreateProcessingJob", PROCESSING, **ACCOUNT)}
    assert contexts["iam:PassRole"] == {"iam:PassedToService": "sagemaker.amazonaws.com"}
    assert contexts["kms:CreateGrant"] == {"kms:GrantIsForAWSResource": "true"}


def test_a_job_s_role_pulls_its_image_and_makes_interfaces_in_its_own_network() -> None:
    vpc = {"Subnets": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}
    needed = {
        (item.action, item.resource)
        for item in needed_by_role(PROCESSING["AppSpecification"]["ImageUri"], vpc, PROCESSING, **ACCOUNT)
    }
    assert ("ecr:BatchGetImage", "arn:aws:ecr:us-east-1:123456789012:repository/kit") in needed
    for place in ("subnet/subnet-1", "security-group/sg-1", "network-interface/eni-0"):
        assert ("ec2:CreateNetworkInterface", f"arn:aws:ec2:us-east-1:123456789012:{place}") in needed
    assert not any(action.startswith("ec2:") for action, _ in {
        (item.action, item.resource) for item in needed_by_role("image", None, {}, **ACCOUNT)
    })  # fmt: skip


def test_a_decision_is_kept_once_with_its_role(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.jsonl")
    entry = Entry(
        principal="arn:aws:sts::123456789012:assumed-role/prepare/SageMaker", action="s3:GetObject",
        resource="arn:aws:s3:::b/k", allowed=False, context={"aws:x": "y"},
    )  # fmt: skip
    ledger.add(entry)
    ledger.add(entry)
    assert list(read_ledger(tmp_path / "ledger.jsonl")) == [entry] and entry.role == "prepare"
