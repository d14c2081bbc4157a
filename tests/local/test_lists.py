"""Lists and searches: answered as the service does, in its shapes, and never empty for what isn't there."""

from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tunestack.aws import Aws
from tunestack.executions.describe import ExecutionView

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(("noun", "count"), [("training", 1), ("processing", 3), ("transform", 1)])
def test_jobs_are_listed_filtered_sorted_and_paged(
    noun: str, count: int, succeeded: ExecutionView, deployed: Aws
) -> None:
    list_jobs = getattr(deployed.sagemaker, f"list_{noun}_jobs")
    key = f"{noun.capitalize()}Job"

    def names(**chosen: Any) -> list[str]:
        return [item[f"{key}Name"] for item in list_jobs(NameContains=succeeded.id, **chosen)[f"{key}Summaries"]]

    assert len(names()) == count and names(StatusEquals="Failed") == []
    assert names(SortBy="Name", SortOrder="Ascending") == sorted(names())
    started = list_jobs(NameContains=succeeded.id)[f"{key}Summaries"][0]["CreationTime"]
    assert started.year > 2000 and names(CreationTimeAfter=started + timedelta(seconds=1)) == []
    pages = deployed.sagemaker.get_paginator(f"list_{noun}_jobs").paginate(
        NameContains=succeeded.id, PaginationConfig={"PageSize": 1}
    )
    assert [len(page[f"{key}Summaries"]) for page in pages] == [1] * count


def test_trainings_are_found_by_what_they_were_started_with(succeeded: ExecutionView, deployed: Aws) -> None:
    def found(**one: str) -> int:
        named = {"Name": "TrainingJobName", "Operator": "Contains", "Value": succeeded.id}
        filters: Any = [named, one]
        answer = deployed.sagemaker.search(Resource="TrainingJob", SearchExpression={"Filters": filters})
        return len(answer["Results"])

    assert found(Name="HyperParameters.training.max_steps", Operator="Equals", Value="8") == 1
    assert found(Name="TrainingJobStatus", Operator="Equals", Value="Completed") == 1
    assert found(Name="TrainingJobStatus", Operator="Equals", Value="Failed") == 0
    assert found(Name="Tags.tunestack:environment", Operator="Equals", Value="nowhere") == 0


def test_what_is_not_there_is_refused_by_its_name(deployed: Aws) -> None:
    sagemaker = deployed.sagemaker
    for call, request in (
        (sagemaker.list_pipeline_executions, {"PipelineName": "no-such-pipeline"}),
        (sagemaker.list_model_packages, {"ModelPackageGroupName": "no-such-group"}),
        (sagemaker.describe_training_job, {"TrainingJobName": "no-such-job"}),
        (sagemaker.stop_transform_job, {"TransformJobName": "no-such-job"}),
    ):
        with pytest.raises(ClientError, match="no-such-"):
            call(**request)


def test_a_group_with_versions_is_not_deleted(succeeded: ExecutionView, deployed: Aws) -> None:
    with pytest.raises(ClientError, match="has model versions"):
        deployed.sagemaker.delete_model_package_group(ModelPackageGroupName=deployed.model_package_group_name)
