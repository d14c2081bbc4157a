"""What was not taken in is seen, though no execution tells of it: the function's log, each reason once, newest first."""

from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber

from tunestack.executions.promotion import RefusalView, list_refusals

GONE = "[ERROR]\t2026-11-30T10:00:00.000Z\t5c1b\tnot taken in: arn:v/9 isn't there, or any more\n"
DENIED = "[ERROR] AccessDenied: not authorized to perform s3:GetObject\nTraceback (most recent call last):\n  File\n"


def asked(outputs: dict[str, str] | None, *pages: list[tuple[int, str]]) -> list[RefusalView]:
    logs = boto3.client("logs", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    aws: Any = SimpleNamespace(outputs=lambda stack: outputs, client=lambda name: logs)
    with Stubber(logs) as stub:
        for number, page in enumerate(pages, start=1):
            wanted = {"logGroupName": "log", "startTime": ANY}
            events = [{"timestamp": at, "message": message} for at, message in page]
            rest = {"nextToken": str(number)} if number < len(pages) else {}
            token = {"nextToken": str(number - 1)} if number > 1 else {}
            stub.add_response("filter_log_events", {"events": events, **rest}, wanted | token)
        found = list_refusals(aws)
        stub.assert_no_pending_responses()
    return found


def test_each_reason_is_said_once_with_its_last_time() -> None:
    other = "START RequestId: 023f77d6 Version: $LATEST\n"
    found = asked({"PromotionLogGroupName": "log"}, [(1_000, GONE), (5_000, DENIED)], [(9_000, GONE), (9_500, other)])
    assert found == [
        RefusalView(reason="arn:v/9 isn't there, or any more", at="1970-01-01T00:00:09+00:00"),
        RefusalView(reason="AccessDenied: not authorized to perform s3:GetObject", at="1970-01-01T00:00:05+00:00"),
    ]


@pytest.mark.parametrize("outputs", [None, {}, {"PromotionBusName": "b"}])
def test_where_nothing_is_promoted_nothing_is_refused(outputs: dict[str, str] | None) -> None:
    assert asked(outputs) == []
