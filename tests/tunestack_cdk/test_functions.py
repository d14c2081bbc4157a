"""The functions behind our custom resources, run as Lambda runs them, with AWS's answers stubbed at the network's edge."""

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any, Literal

import boto3
import pytest
from botocore.stub import ANY, Stubber
from tunestack_functions import image_build, job_logs
from tunestack_functions.declared import VARIABLE
from tunestack_functions.events import BuildEnded, CustomResourceRequest

REQUEST: CustomResourceRequest = {
    "RequestType": "Create",
    "ResponseURL": "https://cloudformation.example/answer?Signature=x",
    "StackId": "stack",
    "RequestId": "request",
    "LogicalResourceId": "Build",
    "ResourceProperties": {"RepositoryName": "kit", "ImageTag": "tag"},
}
KEY = "arn:aws:kms:us-east-1:000000000000:key/k"
GROUP = "/aws/sagemaker/TrainingJobs"


class Aws:
    """Clients whose answers are given beforehand; an unexpected call fails."""

    def __init__(self) -> None:
        self._clients = {
            name: boto3.client(name, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
            for name in ("kms", "codebuild", "ecr", "logs")
        }
        self._stubs = {name: Stubber(client) for name, client in self._clients.items()}
        for stub in self._stubs.values():
            stub.activate()

    def client(self, name: str) -> Any:
        return self._clients[name]

    def answers(self, service: str, call: str, answer: dict[str, Any], wanted: dict[str, Any] | None = None) -> None:
        self._stubs[service].add_response(call, answer, wanted)

    def refuses(self, service: str, call: str, code: str) -> None:
        self._stubs[service].add_client_error(call, code)

    def assert_all_were_called(self) -> None:
        for stub in self._stubs.values():
            stub.assert_no_pending_responses()


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    made = Aws()
    monkeypatch.setattr(boto3, "client", made.client)
    build = image_build.Settings(project_name="project", repository_name="kit", key_arn=KEY)
    monkeypatch.setenv(VARIABLE, json.dumps(build.plain()))
    yield made
    made.assert_all_were_called()


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What CloudFormation was told."""
    answers: list[dict[str, Any]] = []

    class Answered:
        def close(self) -> None: ...

    def urlopen(request: Any, timeout: int) -> Answered:
        assert (request.full_url, request.method) == (REQUEST["ResponseURL"], "PUT")
        answers.append(json.loads(request.data))
        return Answered()

    monkeypatch.setattr("urllib.request.urlopen", urlopen)
    return answers


def event(status: str, sealed: str | None, **more: Any) -> BuildEnded:
    """CodeBuild's own event of a build's end."""
    variables = [{"name": "IMAGE_TAG", "type": "PLAINTEXT", "value": "tag"}]
    if sealed:
        variables.append({"name": "REQUEST", "type": "PLAINTEXT", "value": sealed})
    build = {"environment": {"environment-variables": variables}, "logs": {"deep-link": "https://logs.example"}, **more}
    return {"detail": {"build-status": status, "build-id": "build:1", "additional-information": build}}  # fmt: skip


def test_an_image_that_is_there_is_not_built_again(aws: Aws, sent: list[Any]) -> None:
    aws.answers("ecr", "describe_images", {"imageDetails": [{"imageTags": ["tag"]}]})
    image_build.handler(REQUEST, None)
    assert sent[0]["Status"] == "SUCCESS" and sent[0]["PhysicalResourceId"] == "kit:tag"


def test_a_build_carries_the_request_so_that_nobody_who_sees_the_build_can_read_it(aws: Aws, sent: list[Any]) -> None:
    aws.refuses("ecr", "describe_images", "ImageNotFoundException")
    aws.answers("kms", "encrypt", {"CiphertextBlob": b"sealed"}, {"KeyId": KEY, "Plaintext": ANY})
    sealed = base64.b64encode(b"sealed").decode()
    variables = [{"name": "REQUEST", "type": "PLAINTEXT", "value": sealed}]
    aws.answers("codebuild", "start_build", {}, {"projectName": "project", "environmentVariablesOverride": variables})
    image_build.handler(REQUEST, None)
    assert sent == [], "the build's end answers"


def test_a_build_that_can_t_be_started_fails_the_deployment_at_once(aws: Aws, sent: list[Any]) -> None:
    aws.refuses("ecr", "describe_images", "ImageNotFoundException")
    aws.answers("kms", "encrypt", {"CiphertextBlob": b"sealed"})
    aws.refuses("codebuild", "start_build", "AccountLimitExceededException")
    image_build.handler(REQUEST, None)
    assert sent[0]["Status"] == "FAILED" and "AccountLimitExceeded" in sent[0]["Reason"]


@pytest.mark.parametrize("status", ["FAILED", "STOPPED", "TIMED_OUT", "FAULT"])
def test_a_build_that_ends_badly_says_in_which_phase_and_where_the_log_is(
    status: str, aws: Aws, sent: list[Any]
) -> None:
    kept = {**REQUEST, "PhysicalResourceId": "kit:tag"}
    aws.answers("kms", "decrypt", {"Plaintext": json.dumps(kept).encode()}, {"KeyId": KEY, "CiphertextBlob": b"sealed"})
    phases = [
        {"phase-type": "PROVISIONING", "phase-status": "SUCCEEDED"},
        {"phase-type": "DOWNLOAD_SOURCE", "phase-status": "FAILED", "phase-context": ["AccessDenied: source.zip"]},
        {"phase-type": "COMPLETED"},
    ]
    sealed = base64.b64encode(b"sealed").decode()
    image_build.handler(event(status, sealed, phases=phases), None)
    assert (sent[0]["Status"], sent[0]["RequestId"]) == ("FAILED", "request")
    assert f"ended {status}; DOWNLOAD_SOURCE: AccessDenied: source.zip; log: https://logs.example" in sent[0]["Reason"]


def test_a_build_that_succeeds_lets_the_deployment_go_on(aws: Aws, sent: list[Any]) -> None:
    kept = {**REQUEST, "PhysicalResourceId": "kit:tag"}
    aws.answers("kms", "decrypt", {"Plaintext": json.dumps(kept).encode()})
    image_build.handler(event("SUCCEEDED", base64.b64encode(b"sealed").decode()), None)
    assert (sent[0]["Status"], sent[0]["PhysicalResourceId"]) == ("SUCCESS", "kit:tag")


def test_a_build_that_somebody_started_by_hand_answers_nobody(aws: Aws, sent: list[Any]) -> None:
    aws.answers("codebuild", "batch_get_builds", {"builds": [{"environment": _environment([])}]}, {"ids": ["build:1"]})
    image_build.handler(event("FAILED", None), None)
    assert sent == []


def test_a_request_that_the_event_leaves_out_is_read_off_the_build(aws: Aws, sent: list[Any]) -> None:
    variable = {"name": "REQUEST", "value": base64.b64encode(b"sealed").decode()}
    aws.answers("codebuild", "batch_get_builds", {"builds": [{"environment": _environment([variable])}]})
    kept = {**REQUEST, "PhysicalResourceId": "kit:tag"}
    aws.answers("kms", "decrypt", {"Plaintext": json.dumps(kept).encode()})
    image_build.handler(event("SUCCEEDED", None), None)
    assert sent[0]["Status"] == "SUCCESS"


def _environment(variables: list[dict[str, str]]) -> dict[str, Any]:
    return {
        "type": "LINUX_CONTAINER", "image": "image", "computeType": "BUILD_GENERAL1_LARGE",
        "environmentVariables": variables,
    }  # fmt: skip


@pytest.fixture
def settled(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Runs the function that sets up log groups."""

    def run(
        *, request_type: Literal["Create", "Delete"] = "Create", key_arn: str | None = KEY, change_others: bool = False
    ) -> None:
        settings = job_logs.Settings(
            log_group_names=[GROUP], retention_days=30, key_arn=key_arn, change_others=change_others
        )
        monkeypatch.setenv(VARIABLE, json.dumps(settings.plain()))
        job_logs.handler({**REQUEST, "RequestType": request_type}, None)

    return run


ARN = f"arn:aws:logs:us-east-1:000000000000:log-group:{GROUP}"


def found(**has: Any) -> dict[str, Any]:
    return {"logGroups": [{"logGroupName": GROUP, "arn": f"{ARN}:*", **has}]}


def test_a_job_log_group_that_is_made_gets_retention_and_key_and_stays_on_deletion(
    aws: Aws, sent: list[Any], settled: Callable[..., None]
) -> None:
    name = {"logGroupName": GROUP}
    aws.answers("logs", "create_log_group", {}, {**name, "tags": job_logs.MADE_HERE})
    aws.answers("logs", "describe_log_groups", found())
    aws.answers("logs", "put_retention_policy", {}, {**name, "retentionInDays": 30})
    aws.answers("logs", "associate_kms_key", {}, {**name, "kmsKeyId": KEY})
    settled()
    settled(request_type="Delete")
    assert [item["Status"] for item in sent] == ["SUCCESS", "SUCCESS"]


@pytest.mark.parametrize("has", [{}, {"retentionInDays": 7}, {"retentionInDays": 365, "kmsKeyId": "theirs"}])
def test_a_log_group_that_others_made_is_left_alone(
    has: dict[str, Any], aws: Aws, sent: list[Any], settled: Callable[..., None]
) -> None:
    aws.refuses("logs", "create_log_group", "ResourceAlreadyExistsException")
    aws.answers("logs", "describe_log_groups", found(**has))
    aws.answers("logs", "list_tags_for_resource", {"tags": {"team": "other"}}, {"resourceArn": ARN})
    settled()
    assert sent[0]["Status"] == "SUCCESS"


@pytest.mark.parametrize("has", [{}, {"retentionInDays": 7}, {"retentionInDays": 365, "kmsKeyId": "theirs"}])
def test_a_log_group_of_others_is_changed_where_that_is_asked_for(
    has: dict[str, Any], aws: Aws, sent: list[Any], settled: Callable[..., None]
) -> None:
    aws.refuses("logs", "create_log_group", "ResourceAlreadyExistsException")
    aws.answers("logs", "describe_log_groups", found(**has))
    aws.answers("logs", "put_retention_policy", {}, {"logGroupName": GROUP, "retentionInDays": 30})
    aws.answers("logs", "associate_kms_key", {}, {"logGroupName": GROUP, "kmsKeyId": KEY})
    settled(change_others=True)
    assert sent[0]["Status"] == "SUCCESS"


@pytest.mark.parametrize(
    ("has", "grows"), [({}, False), ({"retentionInDays": 14}, True), ({"retentionInDays": 365}, False)]
)
def test_a_log_group_of_another_environment_of_the_kit_is_kept_longer_and_never_shorter(
    has: dict[str, Any], grows: bool, aws: Aws, sent: list[Any], settled: Callable[..., None]
) -> None:
    aws.refuses("logs", "create_log_group", "ResourceAlreadyExistsException")
    aws.answers("logs", "describe_log_groups", found(kmsKeyId="theirs", **has))
    aws.answers("logs", "list_tags_for_resource", {"tags": job_logs.MADE_HERE})
    if grows:
        aws.answers("logs", "put_retention_policy", {}, {"logGroupName": GROUP, "retentionInDays": 30})
    settled()
    assert sent[0]["Status"] == "SUCCESS"


def test_log_groups_that_can_t_be_set_up_fail_the_deployment(
    aws: Aws, sent: list[Any], settled: Callable[..., None]
) -> None:
    aws.refuses("logs", "create_log_group", "AccessDeniedException")
    settled(key_arn=None)
    assert sent[0]["Status"] == "FAILED" and "AccessDenied" in sent[0]["Reason"]
