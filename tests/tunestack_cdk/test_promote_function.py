"""The function that takes in versions: copies that go on where they stopped, and what it refuses."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws
from tunestack_functions import copying, promote
from tunestack_functions.promoted_image import NotPromotableError, NotYetError, by_digest

from tests.three_accounts import ACCOUNTS

FIVE_MIB = 5 * 1024**2
SOURCE, TARGET = ("source", "packages/a/model.tar.gz"), ("target", "promoted/a/model.tar.gz")
VERSIONS = f"arn:aws:sagemaker:us-east-1:{ACCOUNTS['dev']}:model-package/tunestack-dev-models/"
HOST = f"{ACCOUNTS['dev']}.dkr.ecr.us-east-1.amazonaws.com"


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")


@pytest.fixture
def s3() -> Iterator[Any]:
    with mock_aws():
        client = boto3.client("s3")
        for bucket in (SOURCE[0], TARGET[0]):
            client.create_bucket(Bucket=bucket)
        client.put_object(Bucket=SOURCE[0], Key=SOURCE[1], Body=b"a" * FIVE_MIB + b"b" * FIVE_MIB + b"c")
        yield client


LATER = datetime(2100, 1, 1, tzinfo=UTC)


def how(time_left: Callable[[], float] = lambda: 1.0, *, unchanged_since: datetime = LATER) -> copying.How:
    return copying.How(key_arn="arn:key", time_left=time_left, unchanged_since=unchanged_since)


def content(s3: Any) -> bytes:
    return bytes(s3.get_object(Bucket=TARGET[0], Key=TARGET[1])["Body"].read())


class Counting:
    """A client that counts the requests that copy, and has time for so many parts."""

    def __init__(self, s3: Any, parts: int) -> None:
        self._s3, self.parts = s3, parts
        self.copied: list[int] = []

    def __getattr__(self, name: str) -> Any:
        if name in ("copy_object", "upload_part_copy"):
            return partial(self._copy, name)
        return getattr(self._s3, name)

    def _copy(self, name: str, **request: Any) -> Any:
        self.copied.append(request.get("PartNumber", 0))
        return getattr(self._s3, name)(**request)

    def time_left(self) -> float:
        return self.parts - len(self.copied)


def test_a_large_copy_goes_on_where_it_stopped_and_what_is_there_is_not_copied_again(
    s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, "MOST_BYTES_AT_ONCE", FIVE_MIB)
    monkeypatch.setattr(copying, "PART_BYTES", FIVE_MIB)
    monkeypatch.setattr(copying, "PARTS_AT_ONCE", 1)
    # GIVEN time for two of three parts
    first = Counting(s3, 2)
    with pytest.raises(copying.OutOfTimeError, match="1 of 3 parts of promoted/a/model.tar.gz wait for the next try"):
        copying.copy_object(first, SOURCE, TARGET, how(first.time_left))
    # WHEN it is tried again, THEN the third alone is copied
    second = Counting(s3, 10)
    copying.copy_object(second, SOURCE, TARGET, how(second.time_left))
    assert (first.copied, second.copied) == ([1, 2], [3])
    assert content(s3) == b"a" * FIVE_MIB + b"b" * FIVE_MIB + b"c"
    # AND a third time nothing is, until the object is another
    third = Counting(s3, 10)
    copying.copy_object(third, SOURCE, TARGET, how(third.time_left))
    assert third.copied == []
    s3.put_object(Bucket=SOURCE[0], Key=SOURCE[1], Body=b"new")
    copying.copy_object(third, SOURCE, TARGET, how(third.time_left))
    assert content(s3) == b"new"


def test_a_copy_is_encrypted_with_the_environments_own_key(s3: Any) -> None:
    copying.copy_prefix(s3, ("source", "packages/"), ("target", "promoted/"), how())
    found = s3.head_object(Bucket="target", Key="promoted/a/model.tar.gz")
    assert (found["ServerSideEncryption"], found["SSEKMSKeyId"]) == ("aws:kms", "arn:key")
    with pytest.raises(FileNotFoundError, match="nothing lies under s3://source/nothing/"):
        copying.copy_prefix(s3, ("source", "nothing/"), ("target", "a/"), how())


SETTINGS = promote.Settings(
    pipeline="promotion", group="models", source_versions=f"{VERSIONS}*", source_version_key="source_version_arn",
    origin_repositories=[f"{HOST}/tunestack-dev-inference"], signed_images=False,
    signers=[f"arn:aws:signer:us-east-1:{ACCOUNTS['dev']}:/signing-profiles/"], bucket="target", prefix="promoted",
    key_arn="arn:key", shared=[], copied={"adapter_uri": "AdapterUri"},
    digests={"adapter_sha256": "AdapterSha256"},
)  # fmt: skip
IMAGE = f"{HOST}/tunestack-dev-inference@sha256:0"


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:sagemaker:us-east-1:444444444444:model-package/tunestack-dev-models/1",
        VERSIONS.replace("tunestack-dev-models", "tunestack-dev-models-2") + "1",
    ],
)
def test_a_version_of_somebody_else_is_not_even_looked_at(arn: str) -> None:
    with pytest.raises(NotPromotableError, match="is no version that is promoted here"):
        promote.decided(arn, SETTINGS, None)


@mock_aws  # type: ignore[untyped-decorator]
def test_the_image_is_taken_by_its_digest_of_a_known_repository() -> None:
    ecr, known = boto3.client("ecr"), SETTINGS.origin_repositories
    for stranger in ("docker.io/somebody/image:1", f"{HOST}/tunestack-dev-inference-2:1"):
        with pytest.raises(NotPromotableError, match="of none of the repositories"):
            by_digest(stranger, known)
    # moto's own account is the registry here.
    ecr.create_repository(repositoryName="tunestack-dev-inference", registryId=ACCOUNTS["dev"])
    with pytest.raises(NotPromotableError, match="isn't in its repository any more"):
        by_digest(f"{HOST}/tunestack-dev-inference:gone", known)


@pytest.fixture
def ecr(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubber]:
    """ECR, with answers that are given beforehand."""
    client = boto3.client("ecr")
    monkeypatch.setattr(boto3, "client", lambda name: client)
    with Stubber(client) as stub:
        stub.add_response("batch_get_image", {"images": [{"imageId": {"imageDigest": "sha256:0"}}]})
        yield stub
        stub.assert_no_pending_responses()


def judged(message: str | None, **asked: Any) -> None:
    """The image as it is taken, or refused with a message, by what is asked of images."""
    settings = replace(SETTINGS, **asked)
    if message is None:
        assert promote.judged_image(IMAGE, settings) == IMAGE
        return
    with pytest.raises((NotPromotableError, NotYetError), match=message):
        promote.judged_image(IMAGE, settings)


@pytest.mark.parametrize(
    ("allowed", "status", "critical", "message"),
    [
        (None, "FAILED", 9, None),
        (2, "COMPLETE", 2, None),
        (1, "COMPLETE", 2, "has 2 critical findings, and 1 are allowed"),
        (0, "IN_PROGRESS", 0, "is IN_PROGRESS"),
        (9, "FAILED", 0, "nobody knows what is in it"),
    ],
)
def test_an_image_with_more_findings_than_are_allowed_stays_where_it_is(
    allowed: int | None, status: str, critical: int, message: str | None, ecr: Stubber
) -> None:
    wanted = {
        "registryId": ACCOUNTS["dev"], "repositoryName": "tunestack-dev-inference",
        "imageId": {"imageDigest": "sha256:0"}, "maxResults": 1,
    }  # fmt: skip
    if allowed is not None:
        findings = {"findingSeverityCounts": {"CRITICAL": critical}}
        answer = {"imageScanStatus": {"status": status}, "imageScanFindings": findings}
        ecr.add_response("describe_image_scan_findings", answer, wanted)
    judged(message, max_critical_findings=allowed)


@pytest.mark.parametrize(
    ("statuses", "signer", "message"),
    [
        (["COMPLETE"], "dev", None),
        ([], "dev", "isn't signed: nobody signed it"),
        (["COMPLETE", "IN_PROGRESS"], "dev", "is being signed"),
        (["COMPLETE", "FAILED"], "dev", "isn't signed: denied"),
        (["COMPLETE"], "prod", f"isn't signed: only arn:aws:signer:us-east-1:{ACCOUNTS['prod']}"),
    ],
)
def test_an_image_that_is_not_signed_stays_where_it_is(
    statuses: list[str], signer: str, message: str | None, ecr: Stubber
) -> None:
    wanted = {
        "registryId": ACCOUNTS["dev"], "repositoryName": "tunestack-dev-inference",
        "imageId": {"imageDigest": "sha256:0"},
    }  # fmt: skip
    profile = f"arn:aws:signer:us-east-1:{ACCOUNTS[signer]}:/signing-profiles/kit"
    found = [{"status": status, "failureReason": "denied", "signingProfileArn": profile} for status in statuses]
    ecr.add_response("describe_image_signing_status", {"signingStatuses": found}, wanted)
    judged(message, signed_images=True)


@pytest.mark.parametrize("without", ["adapter_uri", "adapter_sha256"])
def test_a_version_that_does_not_say_what_it_was_made_of_is_refused(without: str) -> None:
    metadata = {"adapter_uri": "s3://b/a", "adapter_sha256": "0" * 64} | {without: ""}
    with pytest.raises(NotPromotableError, match=f"doesn't say its {without}: register it by a newer run"):
        promote.told_of("models-1", metadata, SETTINGS, target())


def test_the_pipeline_is_told_where_the_copies_lie_and_what_they_must_be_and_no_archive(s3: Any) -> None:
    metadata = {"adapter_uri": "s3://source/packages/a", "adapter_sha256": "f" * 64}
    assert promote.told_of("models-1", metadata, SETTINGS, target()) == {
        "AdapterUri": "s3://target/promoted/models-1/adapter_uri", "AdapterSha256": "f" * 64,
    }  # fmt: skip


class Lambda:
    """The function's context, with time left."""

    def get_remaining_time_in_millis(self) -> int:
        return 900_000


def target(registered: datetime = LATER) -> promote.Target:
    return promote.Target(SETTINGS, Lambda(), registered=registered)


def test_what_was_written_after_the_version_was_registered_is_not_taken_in(s3: Any) -> None:
    written = s3.head_object(Bucket=SOURCE[0], Key=SOURCE[1])["LastModified"]
    with pytest.raises(copying.ChangedSinceError, match=f"s3://{'/'.join(SOURCE)} was written at .*, after "):
        target(written - timedelta(seconds=1)).take_prefix("s3://source/packages/a/", "promoted/a")
    assert "Contents" not in s3.list_objects_v2(Bucket=TARGET[0])
    assert target(written).take_prefix("s3://source/packages/a/", "promoted/a") == "s3://target/promoted/a/"


def test_another_content_of_a_base_model_never_takes_the_place_of_one_that_a_version_has(s3: Any) -> None:
    place = "s3://source/base-models/m/main"
    for name, body in (("config.json", b"{}"), ("model.safetensors", b"first")):
        s3.put_object(Bucket="source", Key=f"base-models/m/main/{name}", Body=body)
    first = target().take_prefix_once(place, "promoted/base_model_uri")
    assert target().take_prefix_once(place, "promoted/base_model_uri") == first
    s3.put_object(Bucket="source", Key="base-models/m/main/model.safetensors", Body=b"other")
    second = target().take_prefix_once(place, "promoted/base_model_uri")
    assert second != first
    for uri, body in ((first, b"first"), (second, b"other")):
        key = f"{uri.removeprefix('s3://target/')}/model.safetensors"
        assert s3.get_object(Bucket="target", Key=key)["Body"].read() == body


def test_a_version_whose_files_were_changed_is_refused_with_the_reason(
    s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = {
        "CustomerMetadataProperties": {"adapter_uri": "s3://source/packages/a", "adapter_sha256": "0" * 64},
        "CreationTime": datetime(2020, 1, 1, tzinfo=UTC), "InferenceSpecification": {"Containers": [{"Image": IMAGE}]},
    }  # fmt: skip
    monkeypatch.setattr(promote, "judged_image", lambda image, settings: image)
    monkeypatch.setattr(promote, "execution_of", lambda *given: None)
    with pytest.raises(NotPromotableError, match="when it was registered: it isn't what was judged"):
        promote.promote(None, f"{VERSIONS}1", version, SETTINGS, Lambda())
