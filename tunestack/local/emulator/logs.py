"""CloudWatch Logs' calls that ministack lacks: a log group's key."""

import json
from typing import Any

_TARGET = "Logs_20140328."


def amend_logs() -> None:
    """Serve AssociateKmsKey and DisassociateKmsKey."""
    import ministack.app as ministack

    serve = ministack.SERVICE_HANDLERS["logs"]

    async def with_keys(method: str, path: str, headers: Any, body: bytes, query: Any) -> Any:
        action = headers.get("x-amz-target", "").removeprefix(_TARGET)
        if action not in ("AssociateKmsKey", "DisassociateKmsKey"):
            return await serve(method, path, headers, body, query)
        return _set_key(json.loads(body))

    ministack.SERVICE_HANDLERS["logs"] = with_keys


def _set_key(request: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
    from ministack.services import cloudwatch_logs

    headers = {"Content-Type": "application/x-amz-json-1.1"}
    group = cloudwatch_logs._log_groups.get(request["logGroupName"])
    if group is None:
        problem = {"__type": "ResourceNotFoundException", "message": "The specified log group does not exist."}
        return 400, headers, json.dumps(problem).encode()
    group["kmsKeyId"] = request.get("kmsKeyId")
    return 200, headers, b"{}"
