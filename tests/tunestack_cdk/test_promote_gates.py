"""What a function lets through, branch by branch: each gate holds by itself, and no error is taken for an answer."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from tunestack_functions import copying, image_build, promote, promoted_image
from tunestack_functions.promoted_image import NotPromotableError, NotYetError

from tests.three_accounts import ACCOUNTS
from tests.tunestack_cdk.test_promote_decisions import HERE, SageMaker
from tests.tunestack_cdk.test_promote_function import IMAGE, LATER, SETTINGS, SOURCE, TARGET, VERSIONS, how

ARN = f"{VERSIONS}1"
PROFILE = f"arn:aws:signer:us-east-1:{ACCOUNTS['dev']}:/signing-profiles/kit"


@pytest.fixture
def stubbed(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Stubber]:
    """stubbed(service): a client with answers that are given beforehand, which the functions get."""

    def make(service: str) -> Stubber:
        made = boto3.client(service, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
        for module in (promoted_image, image_build):
            monkeypatch.setattr(module, "client", lambda name, **_: made)
        stub = Stubber(made)
        stub.activate()
        return stub

    return make


def scan(status: str, **findings: Any) -> dict[str, Any]:
    return {"imageScanStatus": {"status": status}, "imageScanFindings": findings}


@pytest.mark.parametrize(
    ("answer", "refusal"),
    [
        (scan("COMPLETE", findingSeverityCounts={"CRITICAL": 1}), None),
        (scan("ACTIVE", findingSeverityCounts={"HIGH": 40}), None),
        (scan("COMPLETE"), None),
        (scan("COMPLETE", findingSeverityCounts={"CRITICAL": 2}), NotPromotableError),
        (scan("FAILED"), NotPromotableError),
        (scan("UNSUPPORTED_IMAGE"), NotPromotableError),
        (scan("PENDING"), NotYetError),
        (scan("IN_PROGRESS"), NotYetError),
        ("ScanNotFoundException", NotPromotableError),
        ("AccessDeniedException", ClientError),
        ("ThrottlingException", ClientError),
    ],
)
def test_a_scan_lets_an_image_through_is_waited_for_or_refuses_it(
    answer: Any, refusal: type[Exception] | None, stubbed: Callable[[str], Stubber]
) -> None:
    ecr = stubbed("ecr")
    if isinstance(answer, str):
        ecr.add_client_error("describe_image_scan_findings", answer)
    else:
        ecr.add_response("describe_image_scan_findings", answer)
    if refusal is None:
        promoted_image.check_scan_findings(IMAGE, 1)
        return
    with pytest.raises(Exception) as refused:
        promoted_image.check_scan_findings(IMAGE, 1)
    assert isinstance(refused.value, refusal) and isinstance(refused.value, NotYetError) == (refusal is NotYetError)


@pytest.mark.parametrize(
    ("statuses", "refusal"),
    [(["COMPLETE"], None), ([], NotPromotableError), (["IN_PROGRESS"], NotYetError), (["FAILED"], NotPromotableError)],
)
def test_a_signature_lets_an_image_through_is_waited_for_or_refuses_it(
    statuses: list[str], refusal: type[Exception] | None, stubbed: Callable[[str], Stubber]
) -> None:
    found = [{"status": status, "signingProfileArn": PROFILE} for status in statuses]
    stubbed("ecr").add_response("describe_image_signing_status", {"signingStatuses": found})
    if refusal is None:
        promoted_image.check_signature(IMAGE, SETTINGS.signers)
        return
    with pytest.raises(refusal) as refused:
        promoted_image.check_signature(IMAGE, SETTINGS.signers)
    assert type(refused.value) is refusal


def test_a_signature_that_cannot_be_asked_for_is_none(stubbed: Callable[[str], Stubber]) -> None:
    stubbed("ecr").add_client_error("describe_image_signing_status", "AccessDeniedException")
    with pytest.raises(ClientError):
        promoted_image.check_signature(IMAGE, SETTINGS.signers)


def test_the_repository_of_an_image_is_named_by_its_uri() -> None:
    uri = f"{ACCOUNTS['dev']}.dkr.ecr.us-east-1.amazonaws.com/kit-dev-inference"
    wanted = f"arn:aws:ecr:us-east-1:{ACCOUNTS['dev']}:repository/kit-dev-inference"
    assert promoted_image.repository_arn(uri, "aws") == wanted


class Registry(SageMaker):
    """The fake with another decision on the version, or another's version registered here."""

    def __init__(self, *, status: str = "Approved", of: str = ARN, **given: Any) -> None:
        super().__init__(approved=[True], execution=None, registered=False, **given)
        self.status, self.of = status, of

    def describe_model_package(self, *, ModelPackageName: str) -> dict[str, Any]:  # noqa: N803 - the API's
        if ModelPackageName == HERE:
            return {"CustomerMetadataProperties": {"source_version_arn": self.of}}
        return {**super().describe_model_package(ModelPackageName=ModelPackageName), "ModelApprovalStatus": self.status}


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """taken(registry, told=…): what is done of a version whose image and files are fine, or not."""

    def decide(fake: SageMaker, told: Any = lambda *given: {"AdapterUri": "s3://target/adapter"}) -> list[str]:
        monkeypatch.setattr(promote, "client", lambda name, **_: fake)
        monkeypatch.setattr(promote, "judged_image", lambda image, settings: image)
        monkeypatch.setattr(promote, "told_of", told)
        promote.decided(ARN, SETTINGS, None)
        return fake.did

    return decide


@pytest.mark.parametrize(
    ("status", "done"), [("Approved", ["started"]), ("PendingManualApproval", []), ("Undecided", [])]
)
def test_what_is_approved_is_taken_in_and_nothing_else(status: str, done: list[str], taken: Any) -> None:
    assert taken(Registry(status=status)) == done


@pytest.mark.parametrize(
    ("execution", "done"),
    [(None, ["started"]), ("Failed", ["started"]), ("Stopped", ["started"]), ("Succeeded", [])],
)
def test_what_is_promoted_already_is_not_again_and_what_failed_is(
    execution: str | None, done: list[str], taken: Any
) -> None:
    assert taken(SageMaker(approved=[True], execution=execution, registered=False)) == done


def test_files_that_were_changed_are_said_once_and_any_other_error_is_tried_again(taken: Any) -> None:
    def changed(*given: Any) -> None:
        raise copying.ChangedSinceError("s3://a was written later")

    def denied(*given: Any) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "CopyObject")

    with pytest.raises(NotPromotableError, match="it isn't what was judged"):
        taken(Registry(), changed)
    with pytest.raises(ClientError):
        taken(Registry(), denied)


def test_a_rejection_touches_no_version_of_another_source(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = Registry(status="Rejected", of=f"{VERSIONS}2")
    fake._registered = True
    monkeypatch.setattr(promote, "client", lambda name, **_: fake)
    promote.decided(ARN, SETTINGS, None)
    assert fake.did == []


@pytest.mark.parametrize("error", [NotYetError("wait"), ClientError({"Error": {"Code": "x"}}, "y"), KeyError("z")])
def test_only_what_trying_again_would_not_change_is_taken_off_the_queue(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*given: Any) -> None:
        raise error

    monkeypatch.setenv("SETTINGS", json.dumps(SETTINGS.plain()))
    monkeypatch.setattr(promote, "decided", fails)
    body = json.dumps({"detail": {"ModelPackageArn": ARN}})
    with pytest.raises(type(error)):
        promote.handler({"Records": [{"body": body}]}, None)


def s3_with(monkeypatch: pytest.MonkeyPatch) -> tuple[Any, Stubber]:
    made = boto3.client("s3", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    return made, Stubber(made)


def test_without_time_nothing_is_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    made, stub = s3_with(monkeypatch)
    with stub, pytest.raises(copying.OutOfTimeError, match="waits for the next try"):
        copying.copy_object(made, SOURCE, TARGET, how(lambda: 0.0))


@pytest.mark.parametrize(("code", "is_absent"), [("404", True), ("403", True), ("NoSuchKey", True), ("500", False)])
def test_a_copy_is_absent_where_s3_says_so_and_not_where_it_fails(
    code: str, is_absent: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, stub = s3_with(monkeypatch)
    stub.add_client_error("head_object", code)
    with stub:
        if is_absent:
            assert copying.is_copied(made, TARGET, "etag") is False
        else:
            with pytest.raises(ClientError):
                copying.is_copied(made, TARGET, "etag")


def test_a_file_that_was_written_later_is_not_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    made, stub = s3_with(monkeypatch)
    stub.add_response("head_object", {"LastModified": LATER + timedelta(seconds=1), "ETag": "x", "ContentLength": 1})
    with stub, pytest.raises(copying.ChangedSinceError, match="was written at"):
        copying.copy_object(made, SOURCE, TARGET, how())


@pytest.mark.parametrize(("code", "is_absent"), [("ImageNotFoundException", True), ("AccessDeniedException", False)])
def test_an_image_is_absent_where_ecr_says_so_and_not_where_it_fails(
    code: str, is_absent: bool, stubbed: Callable[[str], Stubber]
) -> None:
    stubbed("ecr").add_client_error("describe_images", code)
    if is_absent:
        assert image_build.image_exists("kit", "1") is False
    else:
        with pytest.raises(ClientError):
            image_build.image_exists("kit", "1")
