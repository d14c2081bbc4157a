"""A model goes from dev through staging to prod by events alone: three accounts, each with its own roles, enforced."""

import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import pytest

from demo import deployment
from tests.local.conftest import run, upload
from tests.local.grants import GRANTS, Grant
from tests.three_accounts import ACCOUNTS, SOURCES, config_of, settings_of, synthesize
from tunestack.aws import Aws
from tunestack.executions.promotion import ask_for_promotion
from tunestack.executions.versions import APPROVED, REJECTED, Version, decide, find_version, list_versions
from tunestack.layout import Bucket, S3Uri
from tunestack.local import LocalAws
from tunestack.local.authorization.ledger import read_ledger

pytestmark = pytest.mark.slow
REGION = "us-east-1"
Environments = dict[str, Aws]


@pytest.fixture(scope="module")
def environments(local: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environments]:
    """dev, staging and prod, deployed into their accounts; prod first: no order is needed."""
    folder = tmp_path_factory.mktemp("accounts")
    settings = settings_of(config_of(folder, base="local"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", local.endpoint_url)
        for name, account in reversed(ACCOUNTS.items()):
            deployment.bootstrap(local, account=account)
            deployment.deploy(local, synthesize(settings[name], folder), account=account)
        yield {name: aws_of(settings[name]) for name in ACCOUNTS}


def aws_of(settings: Any) -> Aws:
    """An environment as its account sees it: a 12-digit access key is the account's own."""
    aws = Aws(settings)
    aws.__dict__["_session"] = boto3.Session(settings.environment.account, "local", region_name=REGION)
    return aws


def until(found: Callable[[], Any], what: str, seconds: float = 90) -> Any:
    """What is found, once it is."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if value := found():
            return value
        time.sleep(0.5)
    raise AssertionError(f"no {what} after {seconds} s")


def promotions(aws: Aws) -> list[dict[str, Any]]:
    pages = aws.sagemaker.get_paginator("list_pipeline_executions").paginate(PipelineName=aws.settings.names.promotion)
    return [dict(item) for page in pages for item in page["PipelineExecutionSummaries"]]


def ended(aws: Aws) -> bool:
    return all(item["PipelineExecutionStatus"] == "Succeeded" for item in promotions(aws))


def registered_from(aws: Aws, version: Version) -> Version:
    """The version of an environment that was promoted from another's."""

    def found() -> Version | None:
        ended = [item for item in promotions(aws) if item["PipelineExecutionStatus"] not in ("Executing", "Succeeded")]
        assert not ended, [
            aws.sagemaker.describe_pipeline_execution(PipelineExecutionArn=item["PipelineExecutionArn"])
            for item in ended
        ]
        known = list_versions(aws)
        return next((item for item in known if item.metadata.get("source_version_arn") == version.arn), None)

    promoted: Version = until(found, f"version from {version.arn} in {aws.settings.name}")
    return promoted


def answers(aws: Aws, execution_id: str) -> bytes:
    """What a batch transform answered."""
    bucket, prefix = aws.bucket(Bucket.RESULTS), f"transform/{execution_id}/"
    listed = aws.s3.list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]
    return b"".join(aws.s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read() for item in listed)


@pytest.fixture(scope="module")
def trained(environments: Environments, tiny_model: Path, project: Path) -> Version:
    """A version that dev trained and registered."""
    dev = environments["dev"]
    assert run(dev, upload(dev, tiny_model, project)).status == "Succeeded"
    return next(iter(list_versions(dev)))


@pytest.fixture(scope="module")
def promoted(environments: Environments, trained: Version) -> dict[str, Version]:
    """The same version in every environment, approved in each."""
    found = {"dev": trained}
    for name, following in (("dev", "staging"), ("staging", "prod")):
        decide(environments[name], found[name], APPROVED, reason="good")
        found[following] = registered_from(environments[following], found[name])
    decide(environments["prod"], found["prod"], APPROVED, reason="good")
    return found


def test_an_approved_model_travels_to_prod_and_answers_there_byte_for_byte(
    environments: Environments, promoted: dict[str, Version]
) -> None:
    executions = {name: version.metadata["pipeline_execution_id"] for name, version in promoted.items()}
    for name, source in SOURCES.items():
        aws, version = environments[name], promoted[name]
        until(partial(ended, aws), "end")
        assert [item["PipelineExecutionDisplayName"] for item in promotions(aws)] == [f"tunestack-{source}-models-1"]
        assert version.image_uri.startswith(f"{ACCOUNTS['dev']}.dkr.ecr") and "@sha256:" in version.image_uri
        # What it needs lies here: the other account could be gone.
        for uri in (version.model_data_url, version.metadata["adapter_uri"]):
            assert S3Uri.parse(uri).bucket == aws.bucket(Bucket.ARTIFACTS)
    said = {name: answers(environments[name], execution) for name, execution in executions.items()}
    assert said["dev"] and said["prod"] == said["staging"] == said["dev"]


def test_the_same_decision_twice_does_nothing_twice_and_a_rejection_is_taken_along(
    environments: Environments, promoted: dict[str, Version]
) -> None:
    dev, staging, prod = environments.values()
    # WHEN a promoted version is asked for again, rejected where it was trained, and approved there again
    ask_for_promotion(staging, promoted["dev"].arn)
    decide(dev, promoted["dev"], REJECTED, reason="a mistake")
    until(lambda: find_version(staging, "1").approval == REJECTED, "rejection in staging")
    until(lambda: find_version(prod, "1").approval == REJECTED, "rejection in prod")
    decide(dev, find_version(dev, "1"), APPROVED, reason="it was none")
    time.sleep(5)
    # THEN nothing was judged or registered again, and what was rejected waits for a person
    assert len(promotions(staging)) == 1 and len(list(list_versions(staging))) == 1
    assert "was rejected" in (find_version(staging, "1").approval_reason or "")


@pytest.mark.parametrize("account", ["444444444444", "111111111111"])
def test_a_forged_request_is_refused(account: str, environments: Environments, promoted: dict[str, Version]) -> None:
    prod = environments["prod"]
    before = promotions(prod)
    ask_for_promotion(prod, f"arn:aws:sagemaker:{REGION}:{account}:model-package/tunestack-dev-models/1")
    time.sleep(3)
    assert promotions(prod) == before


def copy_of(dev: Aws, version: Version) -> Version:
    """One more version of dev's, of the same files."""
    described = dev.sagemaker.describe_model_package(ModelPackageName=version.arn)
    made = dev.sagemaker.create_model_package(
        ModelPackageGroupName=dev.model_package_group_name,
        ModelApprovalStatus="PendingManualApproval",
        InferenceSpecification=described["InferenceSpecification"],
        CustomerMetadataProperties=described["CustomerMetadataProperties"],
    )
    return find_version(dev, made["ModelPackageArn"])


def denied(local: LocalAws, seen: int) -> list[str]:
    """What was refused since so many decisions."""
    entries = list(read_ledger(local.ledger_file))[seen:]
    return [f"{entry.principal.split(':')[4]} {entry.action}" for entry in entries if not entry.allowed]


@pytest.mark.parametrize("grant", GRANTS, ids=str)
def test_without_any_one_grant_of_the_source_the_promotion_is_refused_and_says_at_what(
    grant: Grant, environments: Environments, promoted: dict[str, Version], local: LocalAws
) -> None:
    dev = environments["dev"]
    version = copy_of(dev, promoted["dev"])
    seen = len(list(read_ledger(local.ledger_file)))
    with grant.taken_away(dev, environments["staging"]):
        decide(dev, version, APPROVED, reason="good")
        refused = until(partial(denied, local, seen), f"refusal without {grant}", 30)
    assert refused == [grant.refusal]
