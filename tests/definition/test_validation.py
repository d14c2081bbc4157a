"""The validator: a broken and a good example of every rule, and no traceback for any input."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tunestack.definition.finding import Level
from tunestack.definition.template import definition_of_template
from tunestack.definition.validation import refused, validate, with_values

Definition = dict[str, Any]


@pytest.fixture(scope="session")
def good(assembly: Any) -> Definition:
    """The definition that prod deploys."""
    found: Definition = json.loads(definition_of_template(assembly("prod").template("pipeline")))
    return found


def problems(definition: Any) -> list[str]:
    return [str(finding) for finding in validate(definition) if finding.level is not Level.NOTE]


def test_what_every_environment_deploys_is_good(assembly: Any) -> None:
    for env in ("dev", "local", "staging", "prod"):
        assert problems(json.loads(definition_of_template(assembly(env).template("pipeline")))) == []


def step(d: Definition, name: str) -> Any:
    return next(item for item in d["Steps"] if item["Name"] == name)


def entry(name: str) -> Callable[[Definition], Any]:
    return lambda d: step(d, name)


def parameter(name: str) -> Callable[[Definition], Any]:
    return lambda d: next(item for item in d["Parameters"] if item["Name"] == name)


def prepare(d: Definition) -> Any:
    return step(d, "PrepareData")["Arguments"]


def train(d: Definition) -> Any:
    return step(d, "FineTune")["Arguments"]


def branch(d: Definition, name: str) -> Any:
    gate = step(d, "CheckGates")["Arguments"]
    return next(item for item in gate["IfSteps"] if item["Name"] == name)["Arguments"]


def fail(d: Definition) -> Any:
    return step(d, "CheckGates")["Arguments"]["ElseSteps"][0]["Arguments"]


def put(target: Callable[[Definition], Any], *path: Any, value: Any) -> Callable[[Definition], None]:
    def change(d: Definition) -> None:
        place = target(d)
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = value

    return change


def drop(target: Callable[[Definition], Any], *path: Any) -> Callable[[Definition], None]:
    def change(d: Definition) -> None:
        place = target(d)
        for key in path[:-1]:
            place = place[key]
        del place[path[-1]]

    return change


def batched_without_split(d: Definition) -> None:
    branch(d, "BatchTransform")["BatchStrategy"] = "MultiRecord"
    del branch(d, "BatchTransform")["TransformInput"]["SplitType"]


def whole(d: Definition) -> Any:
    return d


BROKEN = {
    "an unknown member": (put(train, "ResourceConfig", "InstanceTyp", value="x"), "unknown member; did you mean 'InstanceType'?"),
    "a missing member": (drop(prepare, "RoleArn"), "PrepareData: missing RoleArn"),
    "a wrong type": (put(train, "ResourceConfig", "InstanceCount", value="1"), "must be of type integer, got '1'"),
    "an unknown enum value": (put(train, "InputDataConfig", 0, "InputMode", value="Fil"), "did you mean 'File'?"),
    "a pattern": (put(prepare, "RoleArn", value="a role that is no ARN"), "must match"),
    "a length": (put(train, "HyperParameters", "x", value="y" * 2501), "at most 2500 characters"),
    "a range": (put(train, "ResourceConfig", "InstanceCount", value=-1), "must be at least 0, got -1"),
    "a number parameter as a string": (put(train, "HyperParameters", "x", value={"Get": "Parameters.Seed"}), "Std:Join"),
    "a string parameter as a number": (put(train, "ResourceConfig", "VolumeSizeInGB", value={"Get": "Parameters.DataUri"}), "parameter DataUri is String"),
    "a default of a parameter that the API refuses": (put(parameter("TrainInstanceType"), "DefaultValue", value="ml.none"), "must be one of"),
    "an unknown parameter": (put(fail, "ErrorMessage", value={"Get": "Parameters.Sed"}), "unknown parameter 'Sed'; did you mean 'Seed'?"),
    "an unknown step": (put(fail, "ErrorMessage", value={"Get": "Steps.FineTun.TrainingJobName"}), "did you mean 'FineTune'?"),
    "an unknown property": (put(fail, "ErrorMessage", value={"Get": "Steps.FineTune.ModelArtifact.X"}), "did you mean 'ModelArtifacts'?"),
    "a step of the other branch": (put(fail, "ErrorMessage", value={"Get": "Steps.PackageModel.ExitMessage"}), "on two branches"),
    "a property file that isn't there": (put(entry("EvaluateModels"), "PropertyFiles", value=[]), "no property file 'Evaluation'"),
    "a property file in a Fail step": (put(fail, "ErrorMessage", value={"Std:JsonGet": {"PropertyFile": {"Get": "Steps.EvaluateModels.PropertyFiles.Evaluation"}, "Path": "a"}}), "can't read a property file"),
    "an output that isn't there": (put(train, "InputDataConfig", 1, "DataSource", "S3DataSource", "S3Uri", value={"Get": "Steps.PrepareData.ProcessingOutputConfig.Outputs['trian'].S3Output.S3Uri"}), "has no output 'trian'; did you mean 'train'?"),
    "a property file of no output": (put(entry("EvaluateModels"), "PropertyFiles", 0, "OutputName", value="evaluatoin"), "did you mean 'evaluation'?"),
    "a cycle": (put(entry("PrepareData"), "DependsOn", value=["EvaluateModels"]), "steps wait for each other"),
    "an unknown step to depend on": (put(entry("PrepareData"), "DependsOn", value=["X"]), "unknown step 'X'"),
    "two steps of one name": (put(entry("FineTune"), "Name", value="PrepareData"), "2 steps have this name"),
    "an unknown kind of step": (put(entry("PrepareData"), "Type", value="Procesing"), "did you mean 'Processing'?"),
    "another version": (put(whole, "Version", value="2019"), "must be '2020-12-01'"),
    "a volume key on a local disk": (put(train, "ResourceConfig", "VolumeKmsKeyId", value="key"), "local NVMe disk is encrypted by hardware"),
    "no volume key without a local disk": (drop(prepare, "ProcessingResources", "ClusterConfig", "VolumeKmsKeyId"), "would not be encrypted with your key"),
    "types of both sorts": (put(parameter("TrainInstanceType"), "EnumValues", value=["ml.g5.2xlarge", "ml.m5.large"]), "all have a local disk or all have none"),
    "a volume larger than the local disk": (put(train, "ResourceConfig", "VolumeSizeInGB", value=5000), "must be at most ml.g5"),
    "an output without a key": (drop(train, "OutputDataConfig", "KmsKeyId"), "outputs would not be encrypted"),
    "spot without a wait": (put(train, "EnableManagedSpotTraining", value=True), "spot training needs it"),
    "a wait without spot": (put(train, "StoppingCondition", "MaxWaitTimeInSeconds", value=90000), "only with EnableManagedSpotTraining"),
    "a wait shorter than the run": (lambda d: (put(train, "EnableManagedSpotTraining", value=True)(d), put(train, "StoppingCondition", "MaxWaitTimeInSeconds", value=60)(d)), "must be at least MaxRuntimeInSeconds"),
    "a run of more than 28 days": (put(train, "StoppingCondition", "MaxRuntimeInSeconds", value=28 * 86400 + 1), "28 days"),
    "two algorithms": (put(train, "AlgorithmSpecification", "AlgorithmName", value="a"), "exactly one of AlgorithmName and TrainingImage"),
    "preferences beside a type": (put(train, "ResourceConfig", "InstancePreferences", value=[{"InstanceType": "ml.g5.xlarge"}]), "not together with InstanceType"),
    "a training without resources": (drop(train, "ResourceConfig"), "FineTune.ResourceConfig: missing"),
    "a model data source for a transform": (put(lambda d: branch(d, "CreateModel"), "PrimaryContainer", "ModelDataSource", value={"S3DataSource": {"S3Uri": "s3://b/k", "S3DataType": "S3Prefix", "CompressionType": "None"}}), "refused by a batch transform"),
    "payloads of more than 100 MB": (put(lambda d: branch(d, "BatchTransform"), "MaxPayloadInMB", value=50), "times MaxPayloadInMB must be at most 100"),
    "batches without a split": (batched_without_split, "MultiRecord needs TransformInput.SplitType"),
    "a GPU transform without its driver": (lambda d: parameter("TransformInstanceType")(d).update(DefaultValue="ml.g5.xlarge", EnumValues=["ml.g5.xlarge"]), "oldest NVIDIA driver"),
    "tags on a version": (put(lambda d: branch(d, "RegisterModel"), "Tags", value=[{"Key": "a", "Value": "b"}]), "belong on the group"),
    "a local path elsewhere": (put(prepare, "ProcessingInputs", 0, "S3Input", "LocalPath", value="/tmp/x"), "must be under /opt/ml/processing/"),
    "two sources of an input": (put(prepare, "ProcessingInputs", 0, "DatasetDefinition", value={}), "exactly one of S3Input and DatasetDefinition"),
    "a secret by name": (put(train, "Environment", value={"HF_TOKEN": "abc"}), "looks like a secret"),
    "a secret by its form": (put(train, "HyperParameters", "x", value="hf_" + "a" * 34), "looks like a credential"),
    "a retry of a condition": (put(entry("CheckGates"), "RetryPolicies", value=[{"ExceptionType": ["Step.THROTTLING"], "MaxAttempts": 2}]), "never retried"),
    "an unknown exception": (put(entry("PrepareData"), "RetryPolicies", value=[{"ExceptionType": ["Step.THROTLING"], "MaxAttempts": 2}]), "did you mean 'Step.THROTTLING'?"),
    "a cache for a week of nonsense": (put(entry("PrepareData"), "CacheConfig", value={"Enabled": True, "ExpireAfter": "soon"}), "must be a duration"),
}  # fmt: skip


@pytest.mark.parametrize(("change", "message"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_definition_is_refused_with_the_reason(
    good: Definition, change: Callable[[Definition], None], message: str
) -> None:
    broken = copy.deepcopy(good)
    change(broken)
    found = problems(broken)
    assert any(message in line for line in found), found


def test_a_secrets_arn_is_no_secret(good: Definition) -> None:
    changed = copy.deepcopy(good)
    train(changed)["Environment"] = {"HF_TOKEN": "arn:aws:secretsmanager:us-east-1:123456789012:secret:x"}
    assert problems(changed) == []


def test_a_function_s_outputs_are_known_and_its_keys_are_its_own(good: Definition) -> None:
    changed = copy.deepcopy(good)
    outputs = [{"OutputName": "status", "OutputType": "String"}]
    step = {"Name": "Ask", "Type": "Lambda", "FunctionArn": "arn:f", "Arguments": {}, "OutputParameters": outputs}
    changed["Steps"].append(step)
    fail(changed)["ErrorMessage"] = {"Get": "Steps.Ask.OutputParameters['status']"}
    assert problems(changed) == []
    fail(changed)["ErrorMessage"] = {"Get": "Steps.Ask.OutputParameters['statsu']"}
    assert any("no output 'statsu'; did you mean 'status'?" in line for line in problems(changed))
    step["SqsQueueUrl"] = "x"
    assert any("Ask.SqsQueueUrl: unknown key" in line for line in problems(changed))


@pytest.mark.parametrize("kind", ["TrainingJob", "Lamda", "condition", "Registermodel"])
def test_a_kind_that_nobody_knows_is_a_problem_with_the_nearest_that_is_known(kind: str, good: Definition) -> None:
    changed = copy.deepcopy(good)
    changed["Steps"].append({"Name": "More", "Type": kind, "Arguments": {}})
    (problem,) = [line for line in problems(changed) if line.startswith("More")]
    assert "unknown kind of step" in problem and "did you mean" in problem


def test_a_kind_that_is_not_known_here_is_a_note_and_no_problem(good: Definition) -> None:
    changed = copy.deepcopy(good)
    changed["Steps"].append({"Name": "More", "Type": "Lambda", "Arguments": {}})
    notes = [str(finding) for finding in validate(changed) if finding.level is Level.NOTE]
    assert notes == ["More: kind 'Lambda' is not known here: not checked"]
    assert problems(changed) == []


def test_a_default_that_is_no_plain_value_is_a_finding(good: Definition) -> None:
    for parameter in range(len(good["Parameters"])):
        broken = copy.deepcopy(good)
        broken["Parameters"][parameter]["DefaultValue"] = []
        assert any(f"Parameters[{parameter}].DefaultValue" in problem for problem in problems(broken))


def test_all_problems_are_found_at_once(good: Definition) -> None:
    broken = copy.deepcopy(good)
    for change, _ in list(BROKEN.values())[:4]:
        change(broken)
    assert len(problems(broken)) >= 4


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_value_anywhere_is_answered_with_findings_and_never_a_traceback(good: Definition, data: Any) -> None:
    broken = copy.deepcopy(good)
    place: Any = broken
    for _ in range(data.draw(st.integers(1, 6))):
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = data.draw(st.sampled_from(keys))
        if isinstance(place[key], (dict, list)) and place[key] and data.draw(st.booleans()):
            place = place[key]
            continue
        place[key] = data.draw(JSON)
        break
    validate(broken)


@pytest.mark.parametrize(
    ("name", "value", "place"),
    [
        ("BaseModelUri", "s3://bucket/" + "a" * 300, "CustomerMetadataProperties.base_model_uri"),
        ("DataUri", "s3://bucket/rows (new), second", "CustomerMetadataProperties.data_uri"),
        ("BaseModelUri", "s3://bucket/" + "a" * 1020, "InputDataConfig[0].DataSource.S3DataSource.S3Uri"),
    ],
)
def test_a_run_s_values_are_checked_wherever_the_definition_puts_them(
    name: str, value: str, place: str, good: Definition
) -> None:
    found = refused(with_values(good, {name: value}))
    assert any(place in line and ("characters" in line or "must match" in line) for line in found), found
    assert problems(with_values(good, {name: "s3://bucket/folder/"})) == []


def test_an_experiment_in_mlflow_is_a_key_that_is_known(good: Definition) -> None:
    assert problems(good | {"MlflowConfig": {"MlflowResourceArn": "arn:m", "MlflowExperimentName": "e"}}) == []
