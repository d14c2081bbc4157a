"""The answer that CloudFormation waits for, of a custom resource's request."""

import json
import urllib.request
from collections.abc import Mapping
from typing import Any

SENT_BACK = ("StackId", "RequestId", "LogicalResourceId")
MOST_REASON_LETTERS = 1000


def answer(request: Mapping[str, Any], physical_id: str, *, failure: str | None = None) -> None:
    """Say how a request (`StackId`, `RequestId`, `LogicalResourceId`, `ResponseURL`) ended; `failure` is the reason."""
    body = {key: request[key] for key in SENT_BACK} | {
        "PhysicalResourceId": physical_id,
        "Status": "FAILED" if failure else "SUCCESS",
        "Reason": (failure or "")[:MOST_REASON_LETTERS],
    }
    put = urllib.request.Request(
        request["ResponseURL"], data=json.dumps(body).encode(), method="PUT", headers={"Content-Type": ""}
    )
    urllib.request.urlopen(put, timeout=30).close()
