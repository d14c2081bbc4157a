"""What is known of executions and jobs: in memory, and on disk after each change, whole or not at all."""

import json
import threading
import traceback
from pathlib import Path
from typing import Any

from tunestack.files import write_whole

Record = dict[str, Any]
_INTERRUPTED = "the local AWS was stopped while this ran; start it again: a training resumes from its checkpoint"


class Store:
    """Records by kind and name: executions, jobs, and what moto doesn't keep."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.RLock()
        self._records: dict[tuple[str, str], Record] = {}
        self._unsaved: set[tuple[str, str]] = set()
        for file in sorted(folder.glob("*/*.json")):
            record = _read(file)
            if record is not None:
                self._records[(file.parent.name, file.stem)] = record

    def get(self, kind: str, name: str) -> Record | None:
        """A copy of a record, or None."""
        with self._lock:
            record = self._records.get((kind, name))
            return json.loads(json.dumps(record)) if record is not None else None

    def all(self, kind: str) -> list[Record]:
        """Copies of all records of a kind, in no order that means anything."""
        with self._lock:
            return [json.loads(json.dumps(record)) for (of, _), record in self._records.items() if of == kind]

    def put(self, kind: str, name: str, record: Record) -> None:
        """Write a record, replacing one of the same name.

        A disk that refuses it fails nobody's job: it is known here, and written with the next record that can be.
        """
        with self._lock:
            self._records[(kind, name)] = record
            self._unsaved.add((kind, name))
            for key in list(self._unsaved):
                self._save(*key)

    def _save(self, kind: str, name: str) -> None:
        try:
            write_whole(self._folder / kind / f"{name}.json", json.dumps(self._records[(kind, name)]))
        except OSError:
            traceback.print_exc()
        else:
            self._unsaved.discard((kind, name))

    def update(self, kind: str, name: str, **changes: Any) -> None:
        """Change some keys of a record."""
        with self._lock:
            self.put(kind, name, {**self._records[(kind, name)], **changes})

    def delete(self, kind: str, name: str) -> None:
        """Forget a record; one that isn't there is fine."""
        with self._lock:
            self._records.pop((kind, name), None)
            self._unsaved.discard((kind, name))
            (self._folder / kind / f"{name}.json").unlink(missing_ok=True)

    def fail_what_was_interrupted(self, now: float) -> None:
        """Call at start: nothing runs any more that a killed server was running."""
        for (kind, name), record in list(self._records.items()):
            if kind == "executions" and record["Status"] in ("Executing", "Stopping"):
                for step in record["Steps"]:
                    if step["StepStatus"] in ("Starting", "Executing", "Stopping"):
                        step.update(StepStatus="Failed", FailureReason=_INTERRUPTED, EndTime=now)
                self.update(
                    kind, name, Status="Failed", FailureReason=_INTERRUPTED, LastModifiedTime=now, Steps=record["Steps"]
                )
            elif kind.endswith("Job") and record[f"{kind}Status"] in ("InProgress", "Stopping"):
                self.update(kind, name, **{f"{kind}Status": "Failed", "FailureReason": _INTERRUPTED})


def _read(file: Path) -> Record | None:
    """A record, or None where its file holds none: that is put aside, and said in the server's log."""
    try:
        record = json.loads(file.read_text(encoding="utf-8"))
        if isinstance(record, dict):
            return record
        reason = f"holds {type(record).__name__}, no record"
    except (OSError, ValueError, RecursionError) as error:
        reason = f"{type(error).__name__}: {error}"
    aside = file.with_suffix(".broken")
    print(f"{file}: {reason}; it is forgotten, and kept as {aside.name}", flush=True)
    file.replace(aside)
    return None
