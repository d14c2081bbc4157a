"""The function that takes in versions: what it does when one is rejected, whatever is under way."""

import json
from datetime import timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from tunestack_functions import promote
from tunestack_functions.promoted_image import NotPromotableError, NotYetError

from tests.three_accounts import ACCOUNTS
from tests.tunestack_cdk.test_promote_function import IMAGE, LATER, SETTINGS, VERSIONS

EXECUTION = f"arn:aws:sagemaker:us-east-1:{ACCOUNTS['staging']}:pipeline/promotion/execution/a"
HERE = f"arn:aws:sagemaker:us-east-1:{ACCOUNTS['staging']}:model-package/models/1"
NAME = f"tunestack-dev-models-1-{LATER:%Y%m%d%H%M%S}"


class SageMaker:
    """Both environments' registries and the promotion's pipeline, as far as the function sees them."""

    def __init__(self, *, approved: list[bool], execution: str | None, registered: bool) -> None:
        self._approved, self._execution, self._registered = approved, execution, registered
        self.did: list[str] = []

    exceptions = boto3.client("sagemaker", region_name="us-east-1").exceptions

    def describe_model_package(self, *, ModelPackageName: str) -> dict[str, Any]:  # noqa: N803 - the API's
        if ModelPackageName == HERE:
            return {"CustomerMetadataProperties": {"source_version_arn": f"{VERSIONS}1"}}
        is_approved = self._approved.pop(0) if len(self._approved) > 1 else self._approved[0]
        container = {"Image": IMAGE, "ModelDataUrl": "s3://b/model.tar.gz"}
        return {
            "CreationTime": LATER,
            "ModelApprovalStatus": "Approved" if is_approved else "Rejected",
            "InferenceSpecification": {"Containers": [container]}, "CustomerMetadataProperties": {},
        }  # fmt: skip

    def get_paginator(self, operation: str) -> Any:
        running = {"PipelineExecutionArn": EXECUTION, "PipelineExecutionDisplayName": NAME}
        executions = [running | {"PipelineExecutionStatus": self._execution}] if self._execution else []
        versions = [{"ModelPackageArn": HERE, "ModelApprovalStatus": "PendingManualApproval"}]
        pages: dict[str, Any] = {
            "list_pipeline_executions": {"PipelineExecutionSummaries": executions},
            "list_model_packages": {"ModelPackageSummaryList": versions if self._registered else []},
        }

        class Paginator:
            def paginate(self, **_: Any) -> list[Any]:
                return [pages[operation]]

        return Paginator()

    def start_pipeline_execution(self, **_: Any) -> dict[str, str]:
        self.did.append("started")
        self._execution = "Executing"
        return {"PipelineExecutionArn": EXECUTION}

    def stop_pipeline_execution(self, *, PipelineExecutionArn: str, **_: Any) -> None:  # noqa: N803 - the API's
        assert PipelineExecutionArn == EXECUTION
        self.did.append("stopped")
        self._execution = "Stopping"

    def update_model_package(self, **request: str) -> None:
        assert request["ModelPackageArn"] == HERE
        self.did.append(request["ModelApprovalStatus"])


@pytest.mark.parametrize(
    ("execution", "registered", "done", "waits"),
    [
        (None, False, [], False),
        ("Succeeded", True, ["Rejected"], False),
        ("Stopped", False, [], False),
        # It may register the version still: what it registers is rejected once it has ended.
        ("Executing", False, ["stopped"], True),
        ("Executing", True, ["stopped", "Rejected"], True),
        ("Stopping", False, [], True),
    ],
)
def test_a_rejected_version_is_not_judged_on_and_what_is_registered_of_it_is_rejected(
    execution: str | None, registered: bool, done: list[str], waits: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = SageMaker(approved=[False], execution=execution, registered=registered)
    monkeypatch.setattr(promote, "client", lambda name, **_: fake)
    if waits:
        with pytest.raises(NotYetError, match="is being stopped"):
            promote.decided(f"{VERSIONS}1", SETTINGS, None)
    else:
        promote.decided(f"{VERSIONS}1", SETTINGS, None)
    assert fake.did == done


def test_a_version_that_is_rejected_while_its_files_are_copied_is_stopped_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fake = SageMaker(approved=[True, False], execution=None, registered=False)
    monkeypatch.setattr(promote, "client", lambda name, **_: fake)
    monkeypatch.setattr(promote, "judged_image", lambda image, settings: image)
    monkeypatch.setattr(promote, "told_of", lambda *given: {"AdapterUri": "s3://target/adapter"})
    with pytest.raises(NotYetError):
        promote.decided(f"{VERSIONS}1", SETTINGS, None)
    assert fake.did == ["started", "stopped"]


@pytest.mark.parametrize("body", ["", "{half", "[]", "{}", '{"detail": {}}', '{"detail": null}'])
def test_an_event_that_can_t_be_read_is_said_once_and_not_tried_again(
    body: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("SETTINGS", json.dumps(SETTINGS.plain()))
    promote.handler({"Records": [{"body": body}]}, None)
    assert "no decision on a version" in caplog.text


def test_a_version_of_the_same_number_in_a_group_that_was_made_anew_is_another(monkeypatch: pytest.MonkeyPatch) -> None:
    arn = f"{VERSIONS}1"
    names = {promote.execution_name(arn, {"CreationTime": LATER + timedelta(seconds=second)}) for second in (0, 1)}
    assert len(names) == 2 and NAME in names


@pytest.mark.parametrize(("code", "is_said_once"), [("ValidationException", True), ("ThrottlingException", False)])
def test_a_version_that_is_not_there_is_not_tried_again(
    code: str, is_said_once: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    sagemaker = boto3.client("sagemaker", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    monkeypatch.setattr(promote, "client", lambda name: sagemaker)
    with Stubber(sagemaker) as stub:
        stub.add_client_error("describe_model_package", code, "ModelPackage does not exist")
        with pytest.raises(NotPromotableError if is_said_once else ClientError, match="does not exist"):
            promote.decided(f"{VERSIONS}99", SETTINGS, None)
