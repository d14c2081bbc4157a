"""Every rule of the API has a compliant and a non-compliant example, and says what is wrong with the latter."""

from typing import Any

import pytest

from tests.definition.steps import (
    GPU,
    HOST,
    PENDING,
    RETRY,
    S3,
    SPOT,
    WAIT,
    model,
    on,
    package,
    processing,
    step,
    training,
    transform,
)
from tunestack.definition.checks import CHECKS
from tunestack.definition.found_by_file import name_of
from tunestack.definition.subject import Subject

# The check → what passes it, what doesn't, and what is said of that.
EXAMPLES: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "cache": (
        step("Training", CacheConfig={"Enabled": True, "ExpireAfter": "P30D"}),
        step("Condition", CacheConfig={"Enabled": True}),
        "CacheConfig: a Condition step is never cached",
    ),
    "conditions": (
        {"entry": {"Type": "Condition"}, "arguments": {"Conditions": [{"Type": "LessThan", "LeftValue": 1, "RightValue": 2}]}},
        {"entry": {"Type": "Condition"}, "arguments": {"Conditions": [{"Type": "LessThen", "LeftValue": 1, "RightValue": 2}]}},
        "Conditions[0].Type: unknown operator 'LessThen'; did you mean 'LessThan'?",
    ),
    "fail_message": (
        {"entry": {"Type": "Fail"}, "arguments": {"ErrorMessage": "no"}},
        {"entry": {"Type": "Fail"}, "arguments": {}},
        "ErrorMessage: missing",
    ),
    "container_environment": (
        model(PrimaryContainer={"Environment": {"A": "b"}}),
        package(InferenceSpecification={"Containers": [{"Environment": {f"A{n}": "b" for n in range(17)}}]}),
        "InferenceSpecification.Containers[0].Environment: must be at most 16 entries, got 17",
    ),
    "hyperparameter_count": (
        training(HyperParameters={"a": "1"}),
        training(HyperParameters={f"a{n}": "1" for n in range(101)}),
        "HyperParameters: must be at most 100 entries, got 101",
    ),
    "instance_preferences": (
        training(ResourceConfig={"InstancePreferences": [{"InstanceType": GPU}]}),
        training(ResourceConfig={"InstancePreferences": [{"InstanceType": GPU}]}, **SPOT),
        "ResourceConfig.InstancePreferences: not together with spot training",
    ),
    "model_containers": (
        model(PrimaryContainer={}),
        model(PrimaryContainer={}, Containers=[{}]),
        ": needs exactly one of PrimaryContainer and Containers",
    ),
    "model_data": (
        model(PrimaryContainer={"ModelDataUrl": "s3://b/k"}),
        model(PrimaryContainer={"ModelDataUrl": "s3://b/k", "ModelDataSource": S3}),
        "PrimaryContainer: needs at most one of ModelDataUrl and ModelDataSource",
    ),
    "model_package_group": (package(ModelPackageGroupName="models"), package(), "ModelPackageGroupName: missing"),
    "model_package_tags": (
        package(ModelPackageGroupName="models"),
        package(ModelPackageGroupName="models", Tags=[{"Key": "a", "Value": "b"}]),
        "Tags: belong on the group, not on a version",
    ),
    "pending_time": (
        training(ResourceConfig={"InstanceType": GPU}, StoppingCondition=PENDING),
        training(ResourceConfig={"InstanceType": HOST}, StoppingCondition=PENDING),
        "StoppingCondition.MaxPendingTimeInSeconds: only for GPU types",
    ),
    "processing_input_source": (
        processing(ProcessingInputs=[{"S3Input": {}}]),
        processing(ProcessingInputs=[{"S3Input": {}, "DatasetDefinition": {}}]),
        "ProcessingInputs[0]: needs exactly one of S3Input and DatasetDefinition",
    ),
    "processing_local_path": (
        processing(ProcessingInputs=[{"S3Input": {"LocalPath": "/opt/ml/processing/input/a"}}]),
        processing(ProcessingOutputConfig={"Outputs": [{"S3Output": {"LocalPath": "/tmp/a"}}]}),
        "ProcessingOutputConfig.Outputs[0].S3Output.LocalPath: must be under /opt/ml/processing/, got '/tmp/a'",
    ),
    "retries": (
        step("Training", RetryPolicies=[RETRY]),
        step("Training", RetryPolicies=[{**RETRY, "ExpireAfterMin": 5}]),
        "RetryPolicies[0]: needs exactly one of MaxAttempts and ExpireAfterMin",
    ),
    "run_time_limit": (
        training(StoppingCondition={"MaxRuntimeInSeconds": 2_419_200}),
        training(StoppingCondition={"MaxRuntimeInSeconds": 2_419_201}),
        "StoppingCondition.MaxRuntimeInSeconds: must be at most 28 days (2419200), got 2419201",
    ),
    "spot_wait": (
        training(StoppingCondition={"MaxRuntimeInSeconds": 60, **WAIT}, **SPOT),
        training(StoppingCondition={"MaxRuntimeInSeconds": 60, **WAIT}),
        "StoppingCondition.MaxWaitTimeInSeconds: only with EnableManagedSpotTraining",
    ),
    "training_algorithm": (
        training(AlgorithmSpecification={"TrainingImage": "a"}),
        training(AlgorithmSpecification={"TrainingImage": "a", "AlgorithmName": "b"}),
        "AlgorithmSpecification: needs exactly one of AlgorithmName and TrainingImage",
    ),
    "training_members": (
        training(ServerlessJobConfig={}),
        training(AlgorithmSpecification={}, StoppingCondition={}, OutputDataConfig={}),
        "ResourceConfig: missing",
    ),
    "transform_model": (
        transform({"PrimaryContainer": {"ModelDataUrl": "s3://b/k"}}),
        transform({"PrimaryContainer": {"ModelDataSource": S3}}),
        "ModelName: a model with ModelDataSource is refused by a batch transform: give ModelDataUrl, one model.tar.gz",
    ),
    "transform_payload": (
        transform(MaxConcurrentTransforms=16, MaxPayloadInMB=6),
        transform(MaxConcurrentTransforms=17, MaxPayloadInMB=6),
        "MaxConcurrentTransforms: times MaxPayloadInMB must be at most 100, got 17 × 6",
    ),
    "transform_split": (
        transform(BatchStrategy="MultiRecord", TransformInput={"SplitType": "Line"}),
        transform(BatchStrategy="MultiRecord", TransformInput={}),
        "BatchStrategy: MultiRecord needs TransformInput.SplitType",
    ),
    "volume_key": (
        on(HOST, VolumeKmsKeyId="key"),
        on(GPU, VolumeKmsKeyId="key"),
        "ProcessingResources.ClusterConfig.VolumeKmsKeyId: is refused with ml.g5.2xlarge: its local NVMe disk is "
        "encrypted by hardware",
    ),
    "volume_size": (
        on(GPU, VolumeSizeInGB=450),
        on(GPU, VolumeSizeInGB=451),
        "ProcessingResources.ClusterConfig.VolumeSizeInGB: must be at most ml.g5.2xlarge's disk of 450 GB, got 451",
    ),
}  # fmt: skip
NAMES = [name_of(check) for check in CHECKS]


def said(name: str, example: dict[str, Any]) -> list[str]:
    check = CHECKS[NAMES.index(name)]
    subject = Subject(**{"parameters": {}, "model": None, **example})
    assert check.KINDS is None or subject.kind in check.KINDS
    return [f"{member}: {message}" for member, message in check.check(subject)]


def test_every_check_has_its_examples_and_its_rule_in_a_sentence() -> None:
    assert sorted(NAMES) == sorted(EXAMPLES)
    assert all(check.__doc__ and check.__doc__.endswith(".") for check in CHECKS)


@pytest.mark.parametrize("name", NAMES)
def test_a_compliant_step_passes(name: str) -> None:
    assert said(name, EXAMPLES[name][0]) == []


@pytest.mark.parametrize("name", NAMES)
def test_a_step_that_the_api_would_refuse_is_named_with_the_reason(name: str) -> None:
    assert said(name, EXAMPLES[name][1]) == [EXAMPLES[name][2]]


def test_a_parameter_is_checked_with_all_that_it_allows() -> None:
    choice = {"InstanceType": {"Get": "Parameters.Type"}}
    declared = {"Type": {"Name": "Type", "DefaultValue": GPU, "EnumValues": [GPU, HOST]}}
    subject = Subject(entry={"Type": "Training"}, arguments={"ResourceConfig": choice}, parameters=declared)
    (found,) = CHECKS[NAMES.index("volume_key")].check(subject)
    assert "must all have a local disk or all have none, got ml.g5.2xlarge, ml.m5.xlarge" in found[1]


def condition(*conditions: dict[str, Any]) -> dict[str, Any]:
    return {"entry": {"Type": "Condition"}, "arguments": {"Conditions": list(conditions)}}


PREFERRED = [{"InstanceType": GPU, "InstanceCount": 1}, {"InstanceType": HOST}]
# Further ways to break a rule that has several.
MORE: list[tuple[str, dict[str, Any], str]] = [
    (
        "container_environment",
        model(PrimaryContainer={"Environment": {"A": "b" * 33_000}}),
        "32 KB together, got 33001 bytes",
    ),
    ("conditions", condition(), "Conditions: missing"),
    ("conditions", condition({"Type": "Equals", "LeftValue": 1}), "Conditions[0].RightValue: missing"),
    ("conditions", condition({"Type": "In", "QueryValue": 1, "Value": []}), "Conditions[0].Values: missing"),
    ("conditions", condition({"Type": "Not"}), "Conditions[0].Condition: missing"),
    (
        "conditions",
        condition({"Type": "Or", "Conditions": [{"Type": "X"}]}),
        "Conditions[0].Conditions[0].Type: unknown",
    ),
    ("conditions", condition({"Type": "LessThan", "LeftValue": "a", "RightValue": 1}), "LeftValue: must be a number"),
    ("conditions", condition({"Type": "Equals", "LeftValue": 1, "Right": 1}), "Right: unknown member of Equals"),
    (
        "fail_message",
        {"entry": {"Type": "Fail"}, "arguments": {"ErrorMessage": "a", "Message": "b"}},
        "Message: unknown",
    ),
    ("instance_preferences", training(ResourceConfig={"InstancePreferences": PREFERRED}), "on every entry or on none"),
    (
        "instance_preferences",
        on(GPU, InstancePreferences=[{"InstanceType": GPU}]),
        "ProcessingResources.ClusterConfig.InstancePreferences: not together with InstanceType",
    ),
    (
        "instance_preferences",
        training(ResourceConfig={"InstancePreferences": [{}], "InstanceGroups": []}),
        "not together with InstanceGroups",
    ),
    ("retries", step("Fail", RetryPolicies=[RETRY]), "a Fail step is never retried"),
    (
        "retries",
        step("Training", RetryPolicies=[{"ExceptionType": ["Step.X"], "MaxAttempts": 1}]),
        "unknown ExceptionType",
    ),
    (
        "cache",
        step("Training", CacheConfig={"Enabled": True, "ExpireAfter": "soon"}),
        "must be a duration such as P30D",
    ),
    ("spot_wait", training(StoppingCondition={"MaxRuntimeInSeconds": 60}, **SPOT), "missing: spot training needs it"),
    (
        "spot_wait",
        training(StoppingCondition={"MaxRuntimeInSeconds": 99, **WAIT}, **SPOT),
        "at least MaxRuntimeInSeconds (99)",
    ),
    (
        "transform_model",
        transform({"Containers": [{"AdditionalModelDataSources": []}]}),
        "AdditionalModelDataSources is refused",
    ),
    ("transform_payload", transform(MaxPayloadInMB=101), "MaxPayloadInMB: must be at most 100, got 101"),
    (
        "transform_split",
        transform(TransformOutput={"AssembleWith": "Line"}),
        "AssembleWith: needs TransformInput.SplitType",
    ),
    ("volume_size", on(HOST), "VolumeSizeInGB: missing: ml.m5.xlarge has no local disk"),
]


@pytest.mark.parametrize(("name", "example", "message"), MORE, ids=[f"{name}: {text}" for name, _, text in MORE])
def test_each_further_part_of_a_rule_is_held(name: str, example: dict[str, Any], message: str) -> None:
    assert any(message in line for line in said(name, example)), said(name, example)


def test_a_model_that_a_pipeline_of_containers_answers_needs_no_primary_one() -> None:
    assert said("model_containers", model(Containers=[{}], InferenceExecutionConfig={"Mode": "Serial"})) == []


@pytest.mark.parametrize("right", [3, 0.5, "2026-01-31", {"Get": "Parameters.Day"}])
def test_a_number_and_a_time_have_an_order(right: Any) -> None:
    compared = {"Type": "GreaterThan", "LeftValue": {"Get": "Execution.StartDateTime"}, "RightValue": right}
    assert said("conditions", condition(compared)) == []


@pytest.mark.parametrize("kind", ["EMRServerless", "Lambda", "Callback"])
def test_what_the_sdk_lets_cache_is_cached(kind: str) -> None:
    assert said("cache", step(kind, CacheConfig={"Enabled": True, "ExpireAfter": "1d"})) == []
