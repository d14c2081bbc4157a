"""The calls that users make first, answered as the service does: in its shapes, and never empty for what isn't there."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from botocore.exceptions import ClientError

from tunestack.aws import Aws
from tunestack.executions.describe import ExecutionView
from tunestack.local import LocalAws

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(("noun", "count"), [("training", 1), ("processing", 3), ("transform", 1)])
def test_jobs_are_listed_filtered_sorted_and_paged(
    noun: str, count: int, succeeded: ExecutionView, deployer: Aws
) -> None:
    list_jobs = getattr(deployer.sagemaker, f"list_{noun}_jobs")
    key = f"{noun.capitalize()}Job"

    def names(**chosen: Any) -> list[str]:
        return [item[f"{key}Name"] for item in list_jobs(NameContains=succeeded.id, **chosen)[f"{key}Summaries"]]

    assert len(names()) == count and names(StatusEquals="Failed") == []
    assert names(SortBy="Name", SortOrder="Ascending") == sorted(names())
    started = list_jobs(NameContains=succeeded.id)[f"{key}Summaries"][0]["CreationTime"]
    assert started.year > 2000 and names(CreationTimeAfter=started + timedelta(seconds=1)) == []
    sagemaker: Any = deployer.sagemaker
    pages = sagemaker.get_paginator(f"list_{noun}_jobs").paginate(
        NameContains=succeeded.id, PaginationConfig={"PageSize": 1}
    )
    assert [len(page[f"{key}Summaries"]) for page in pages] == [1] * count


def test_trainings_are_found_by_what_they_were_started_with(succeeded: ExecutionView, deployer: Aws) -> None:
    def found(**one: str) -> int:
        named = {"Name": "TrainingJobName", "Operator": "Contains", "Value": succeeded.id}
        filters: Any = [named, one]
        answer = deployer.sagemaker.search(Resource="TrainingJob", SearchExpression={"Filters": filters})
        return len(answer["Results"])

    assert found(Name="HyperParameters.training.max_steps", Operator="Equals", Value="8") == 1
    assert found(Name="TrainingJobStatus", Operator="Equals", Value="Completed") == 1
    assert found(Name="TrainingJobStatus", Operator="Equals", Value="Failed") == 0
    assert found(Name="Tags.tunestack:environment", Operator="Equals", Value="nowhere") == 0


def test_what_is_not_there_is_refused_by_its_name(deployer: Aws) -> None:
    sagemaker = deployer.sagemaker
    calls: tuple[tuple[Callable[..., Any], dict[str, str]], ...] = (
        (sagemaker.list_pipeline_executions, {"PipelineName": "no-such-pipeline"}),
        (sagemaker.list_model_packages, {"ModelPackageGroupName": "no-such-group"}),
        (sagemaker.describe_training_job, {"TrainingJobName": "no-such-job"}),
        (sagemaker.stop_transform_job, {"TransformJobName": "no-such-job"}),
    )
    for call, request in calls:
        with pytest.raises(ClientError, match="no-such-"):
            call(**request)


def test_an_updated_version_keeps_what_the_update_doesn_t_name(succeeded: ExecutionView, deployer: Aws) -> None:
    sagemaker = deployer.sagemaker
    arn = next(step for step in succeeded.steps if step.name == "RegisterModel").outputs["RegisterModel"]
    described = sagemaker.describe_model_package(ModelPackageName=arn)
    before = described["CustomerMetadataProperties"]
    sagemaker.update_model_package(
        ModelPackageArn=arn, ApprovalDescription="looked at", CustomerMetadataProperties={"Ticket": "7"}
    )
    sagemaker.update_model_package(ModelPackageArn=arn, CustomerMetadataPropertiesToRemove=["Ticket"])
    after = sagemaker.describe_model_package(ModelPackageName=arn)
    assert before and after["CustomerMetadataProperties"] == before
    assert after["ApprovalDescription"] == "looked at"
    assert after["ModelApprovalStatus"] == described["ModelApprovalStatus"]


def test_a_group_with_versions_is_not_deleted(succeeded: ExecutionView, deployer: Aws) -> None:
    with pytest.raises(ClientError, match="has model versions"):
        deployer.sagemaker.delete_model_package_group(ModelPackageGroupName=deployer.model_package_group_name)


@pytest.mark.parametrize("kind", ["Pipeline", "ModelPackageGroup", "ModelPackage", "PipelineExecution"])
def test_what_there_is_is_found_by_search(kind: str, succeeded: ExecutionView, deployer: Aws) -> None:
    sagemaker: Any = deployer.sagemaker
    found = sagemaker.search(Resource=kind)["Results"]
    arns = [result[kind][f"{kind}Arn"] for result in found]
    # Other tests may have deployed other environments into the account before.
    assert any("tunestack-local" in arn for arn in arns) and len(set(arns)) == len(arns)


def test_pipeline_and_group_are_described_by_name_or_arn(deployer: Aws) -> None:
    sagemaker = deployer.sagemaker
    pipeline = sagemaker.describe_pipeline(PipelineName=deployer.pipeline_name)
    assert sagemaker.describe_pipeline(PipelineName=pipeline["PipelineArn"])["PipelineName"] == deployer.pipeline_name
    name = deployer.model_package_group_name
    group = sagemaker.describe_model_package_group(ModelPackageGroupName=name)
    by_arn = sagemaker.describe_model_package_group(ModelPackageGroupName=group["ModelPackageGroupArn"])
    assert by_arn["ModelPackageGroupName"] == name


def test_tags_are_listed_changed_and_deleted(succeeded: ExecutionView, deployer: Aws) -> None:
    sagemaker = deployer.sagemaker
    training = sagemaker.list_training_jobs(NameContains=succeeded.id)["TrainingJobSummaries"][0]["TrainingJobArn"]
    pipeline = sagemaker.describe_pipeline(PipelineName=deployer.pipeline_name)["PipelineArn"]
    for arn in (training, pipeline):
        before = sagemaker.list_tags(ResourceArn=arn)["Tags"]
        assert "local" in [tag["Value"] for tag in before if tag["Key"].endswith("environment")]
        sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "owner", "Value": "me"}])
        sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "owner", "Value": "you"}])
        assert [t["Value"] for t in sagemaker.list_tags(ResourceArn=arn)["Tags"] if t["Key"] == "owner"] == ["you"]
        sagemaker.delete_tags(ResourceArn=arn, TagKeys=["owner"])
        assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == before
    with pytest.raises(ClientError, match="not found.*training-job/no-such-job"):
        sagemaker.list_tags(ResourceArn=training.rpartition("/")[0] + "/no-such-job")
    with pytest.raises(ClientError, match="not found.*pipeline/no-such"):
        sagemaker.list_tags(ResourceArn=pipeline.rpartition("/")[0] + "/no-such")


def test_a_finished_job_is_neither_stopped_nor_changed(succeeded: ExecutionView, deployer: Aws) -> None:
    name = deployer.sagemaker.list_training_jobs(NameContains=succeeded.id)["TrainingJobSummaries"][0][
        "TrainingJobName"
    ]
    with pytest.raises(ClientError, match="is in status Completed"):
        deployer.sagemaker.stop_training_job(TrainingJobName=name)
    assert deployer.sagemaker.describe_training_job(TrainingJobName=name)["TrainingJobStatus"] == "Completed"


def test_what_the_local_aws_lacks_is_said_so(deployer: Aws) -> None:
    with pytest.raises(ClientError, match="the local AWS has no ListAlgorithms"):
        deployer.sagemaker.list_algorithms()


@pytest.mark.parametrize(
    ("action", "body", "code", "message"),
    [
        ("DescribeNothing", {}, "UnknownOperationException", "SageMaker has no DescribeNothing"),
        ("DescribePipeline", {}, "ValidationException", "missing PipelineName"),
        ("ListTags", {"ResourceArm": "x"}, "ValidationException", "did you mean 'ResourceArn'"),
        ("ListModels", {"MaxResults": "many"}, "ValidationException", "must be of type integer"),
    ],
)
def test_a_request_that_isn_t_the_api_s_is_refused(
    action: str, body: dict[str, Any], code: str, message: str, local: LocalAws
) -> None:
    headers = {"X-Amz-Target": f"SageMaker.{action}", "Content-Type": "application/x-amz-json-1.1"}
    request = Request(local.endpoint_url, data=json.dumps(body).encode(), headers=headers)
    with pytest.raises(HTTPError) as refused:
        urlopen(request)
    answer = json.loads(refused.value.read())
    assert (refused.value.code, answer["__type"]) == (400, code) and message in answer["message"]
