"""CloudWatch Logs beside ministack's: a log group's key, and events in files instead of memory and saved state."""

import hashlib
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tunestack.local.emulator.event_file import EventFile

_TARGET = "Logs_20140328."
_DELETES = ("DeleteLogGroup", "DeleteLogStream")
_MS_PER_DAY = 86_400_000


def amend_logs(folder: Path) -> None:
    """Serve AssociateKmsKey and DisassociateKmsKey, and keep every stream's events under a folder."""
    import ministack.app as ministack
    from ministack.services import cloudwatch_logs

    serve, load = ministack.SERVICE_HANDLERS["logs"], ministack._load_persisted_state
    # For Logs Insights ministack keeps each event once more; it makes them anew for a query.
    cloudwatch_logs._log_records = _Forgetful()

    async def amended(method: str, path: str, headers: Any, body: bytes, query: Any) -> Any:
        action = headers.get("x-amz-target", "").removeprefix(_TARGET)
        if action in ("AssociateKmsKey", "DisassociateKmsKey"):
            return _set_key(json.loads(body))
        if action == "PutLogEvents":
            _keep_in_file(json.loads(body), folder)
        doomed = list(_files_of(json.loads(body))) if action in _DELETES else []
        answer = await serve(method, path, headers, body, query)
        if answer[0] == 200:
            for events in doomed:
                events.file.unlink(missing_ok=True)
        return answer

    def load_with_events() -> None:
        load()
        _attach(folder)

    ministack.SERVICE_HANDLERS["logs"] = amended
    ministack._load_persisted_state = load_with_events


class _Forgetful(dict[Any, Any]):
    """Takes everything and keeps nothing."""

    def __setitem__(self, key: Any, value: Any) -> None:
        return

    def update(self, *_: Any, **__: Any) -> None:
        return


def _keep_in_file(request: dict[str, Any], folder: Path) -> None:
    """Have a stream's events in its file: of a new stream, or after ministack merged late ones in memory."""
    from ministack.core.responses import get_account_id, get_region

    stream = _streams_of(request).get(request.get("logStreamName"))
    if stream is not None and not isinstance(stream["events"], EventFile):
        key = (get_account_id(), get_region(), request["logGroupName"], request["logStreamName"])
        stream["events"] = EventFile.holding(_file(folder, *key), stream["events"])


def _files_of(request: dict[str, Any]) -> Iterator[EventFile]:
    """The files of what a deletion deletes."""
    for name, stream in _streams_of(request).items():
        if request.get("logStreamName", name) == name and isinstance(stream["events"], EventFile):
            yield stream["events"]


def _streams_of(request: dict[str, Any]) -> dict[Any, Any]:
    from ministack.services import cloudwatch_logs

    group = cloudwatch_logs._log_groups.get(request.get("logGroupName"))
    return dict(group["streams"]) if group else {}


def _attach(folder: Path) -> None:
    """Give the streams of a loaded state their events; those that are older than their group keeps them go."""
    from ministack.services import cloudwatch_logs

    for (account, region, group), content in list(cloudwatch_logs._log_groups.all_items()):
        days = content.get("retentionInDays")
        oldest = time.time() * 1000 - days * _MS_PER_DAY if days else 0
        for name, stream in list(content["streams"].items()):
            file = _file(folder, account, region, group, name)
            if (stream.get("lastEventTimestamp") or oldest) < oldest:
                file.unlink(missing_ok=True)
                del content["streams"][name]
            elif file.exists():
                stream["events"] = EventFile(file)


def _file(folder: Path, *key: str) -> Path:
    """A stream's file: names of groups and streams are longer than a file's may be."""
    return folder / f"{hashlib.sha256(json.dumps(key).encode()).hexdigest()}.jsonl"


def _set_key(request: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
    from ministack.services import cloudwatch_logs

    headers = {"Content-Type": "application/x-amz-json-1.1"}
    group = cloudwatch_logs._log_groups.get(request["logGroupName"])
    if group is None:
        problem = {"__type": "ResourceNotFoundException", "message": "The specified log group does not exist."}
        return 400, headers, json.dumps(problem).encode()
    group["kmsKeyId"] = request.get("kmsKeyId")
    return 200, headers, b"{}"
