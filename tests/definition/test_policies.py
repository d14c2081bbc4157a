"""Every policy has a compliant and a non-compliant example, and says what is wrong with the latter."""

from typing import Any

import pytest

from tests.definition.steps import GPU, HOST, SPOT, model, on, package, processing, training, transform
from tunestack.definition.found_by_file import name_of
from tunestack.definition.policies import POLICIES
from tunestack.definition.subject import Around, Subject

IMAGE = "${AWS::AccountId}.dkr.ecr.${AWS::Region}.amazonaws.com/training"
DIGEST = "111111111111.dkr.ecr.eu-west-1.amazonaws.com/training@sha256:" + "a" * 64
READS, COUNTS = '{"LeftValue": {"Std:JsonGet": {}}}', '{"LeftValue": {"Get": "Parameters.MaxSteps"}}'
TAGS = [{"Key": "project", "Value": "x"}]


def trains_on(image: str) -> dict[str, Any]:
    return training(AlgorithmSpecification={"TrainingImage": image})


def isolated(**network: Any) -> dict[str, Any]:
    return processing(NetworkConfig=network)


def around(example: dict[str, Any], *conditions: str, vpc: bool = False) -> dict[str, Any]:
    return {**example, "around": Around(conditions=conditions, vpc_expected=vpc)}


# The policy → what passes it, what doesn't, and what is said of that.
EXAMPLES: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "approval": (
        package(ModelApprovalStatus="PendingManualApproval"),
        package(ModelApprovalStatus="Approved"),
        "ModelApprovalStatus: must be PendingManualApproval, got 'Approved': nobody would have looked at the version",
    ),
    "gate": (
        around(package(), READS),
        around(package()),
        ": registers whatever was trained: put it behind a Condition step that reads the evaluation",
    ),
    "image": (
        trains_on(f"{IMAGE}:abc"),
        trains_on(f"{IMAGE}:latest"),
        "AlgorithmSpecification.TrainingImage: must be named by a digest or a tag that never moves, got 'latest'",
    ),
    "inter_container_encryption": (
        training(EnableInterContainerTrafficEncryption=True),
        training(EnableInterContainerTrafficEncryption=False),
        "EnableInterContainerTrafficEncryption: must be true: weights and data of a job on several machines would travel "
        "in clear",
    ),
    "network_isolation": (
        isolated(EnableNetworkIsolation=True),
        isolated(EnableNetworkIsolation=False),
        "NetworkConfig.EnableNetworkIsolation: must be true: the container could send data anywhere",
    ),
    "remote_access": (
        training(RemoteDebugConfig={"EnableRemoteDebug": False}),
        training(RemoteDebugConfig={"EnableRemoteDebug": True}),
        "RemoteDebugConfig.EnableRemoteDebug: must be off: it opens a shell with the job's role",
    ),
    "remote_code": (
        training(HyperParameters={"model.trust_remote_code": "false"}, Environment={"HF_HUB_OFFLINE": "1"}),
        training(HyperParameters={"model.trust_remote_code": "true"}),
        "HyperParameters.model.trust_remote_code: must be false: the job would run code that came with the model",
    ),
    "tags": (training(Tags=TAGS), training(), "Tags: missing: nobody would know whose cost this is"),
    "time_limit": (
        training(StoppingCondition={"MaxRuntimeInSeconds": 60}),
        processing(),
        "StoppingCondition.MaxRuntimeInSeconds: missing: a job that hangs would be paid for a day",
    ),
    "volume_key": (
        on(HOST, VolumeKmsKeyId="key"),
        on(HOST),
        "ProcessingResources.ClusterConfig.VolumeKmsKeyId: missing: the volume of ml.m5.xlarge would not be encrypted "
        "with your key",
    ),
    "vpc": (
        around(training(VpcConfig={"Subnets": ["subnet-1"]}), vpc=True),
        around(training(), vpc=True),
        "VpcConfig: missing: this job would run outside the VPC",
    ),
    "output_key": (
        training(OutputDataConfig={"S3OutputPath": "s3://b/k", "KmsKeyId": "key"}),
        processing(ProcessingOutputConfig={"Outputs": [{}]}),
        "ProcessingOutputConfig.KmsKeyId: missing: outputs would not be encrypted with your key",
    ),
    "secrets": (
        training(Environment={"HF_TOKEN": "arn:aws:secretsmanager:us-east-1:123456789012:secret:x"}),
        training(Environment={"HF_TOKEN": "abc"}),
        "Environment.HF_TOKEN: looks like a secret, and everybody who may describe the job reads it; give a secret's ARN",
    ),
    "spot_checkpoint": (
        training(CheckpointConfig={}, **SPOT),
        training(**SPOT),
        "CheckpointConfig: missing: an interrupted spot training would start from nothing",
    ),
    "transform_driver": (
        transform(TransformResources={"InstanceType": GPU, "TransformAmiVersion": "al2-ami-sagemaker-batch-gpu-535"}),
        transform(TransformResources={"InstanceType": GPU}),
        "TransformResources.TransformAmiVersion: missing: ml.g5.2xlarge would get the oldest NVIDIA driver (470)",
    ),
}  # fmt: skip
NAMES = [name_of(policy) for policy in POLICIES]


def said(name: str, example: dict[str, Any]) -> list[str]:
    policy = POLICIES[NAMES.index(name)]
    subject = Subject(**{"parameters": {}, "model": None, **example})
    assert policy.KINDS is None or subject.kind in policy.KINDS
    return [f"{member}: {message}" for member, message in policy.check(subject)]


def test_every_policy_has_its_examples_and_its_rule_in_a_sentence() -> None:
    assert sorted(NAMES) == sorted(EXAMPLES)
    assert all(policy.__doc__ and policy.__doc__.endswith(".") for policy in POLICIES)


@pytest.mark.parametrize("name", NAMES)
def test_a_compliant_step_passes(name: str) -> None:
    assert said(name, EXAMPLES[name][0]) == []


@pytest.mark.parametrize("name", NAMES)
def test_a_step_that_breaks_it_is_named_with_the_reason(name: str) -> None:
    assert said(name, EXAMPLES[name][1]) == [EXAMPLES[name][2]]


OFFLINE = {"HF_HUB_OFFLINE": "0"}
REMOTE = {"ContainerArguments": ["--set", "model.trust_remote_code", "true"]}
# Further ways to break a rule that has several.
MORE: list[tuple[str, dict[str, Any], str]] = [
    ("secrets", training(HyperParameters={"x": "hf_" + "a" * 34}), "looks like a credential (hf_a…)"),
    ("output_key", transform(TransformOutput={"S3OutputPath": "s3://b/k"}), "TransformOutput.KmsKeyId: missing"),
    ("image", trains_on(IMAGE), "got 'no tag'"),
    ("image", trains_on("python:3.11"), "must come from a private ECR registry"),
    ("image", trains_on("public.ecr.aws/x/y:1"), "must come from a private ECR registry"),
    ("image", processing(AppSpecification={"ImageUri": f"{IMAGE}:main"}), "AppSpecification.ImageUri: must be named"),
    ("image", model(PrimaryContainer={"Image": f"{IMAGE}:latest"}), "PrimaryContainer.Image: must be named"),
    ("gate", around(package(), COUNTS), "read nothing of the evaluation"),
    ("network_isolation", training(), "EnableNetworkIsolation: must be true"),
    ("network_isolation", model(), "EnableNetworkIsolation: must be true"),
    ("inter_container_encryption", processing(), "NetworkConfig.EnableInterContainerTrafficEncryption: must be true"),
    ("vpc", around(isolated(EnableNetworkIsolation=True), vpc=True), "NetworkConfig.VpcConfig: missing"),
    ("vpc", around(model(), vpc=True), "VpcConfig: missing"),
    ("remote_code", training(Environment=OFFLINE), "must stay on"),
    ("remote_code", processing(AppSpecification=REMOTE), "ContainerArguments[2]: must be false"),
]


@pytest.mark.parametrize(("name", "example", "message"), MORE, ids=[f"{name}: {text}" for name, _, text in MORE])
def test_each_further_part_of_a_policy_is_held(name: str, example: dict[str, Any], message: str) -> None:
    assert any(message in line for line in said(name, example)), said(name, example)


def test_an_image_by_its_digest_passes() -> None:
    assert said("image", trains_on(DIGEST)) == []
