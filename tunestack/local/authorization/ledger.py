"""Who was allowed or refused what: a line for each different decision, kept beside the emulator's state."""

import json
import threading
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One decision: the principal's ARN, what it wanted of which resource, and the condition keys of the request."""

    principal: str
    action: str
    resource: str
    allowed: bool
    context: Mapping[str, Any] = field(default_factory=dict)

    @property
    def role(self) -> str | None:
        """The role's name, where the principal is a session of one."""
        kind, _, rest = self.principal.rpartition(":")[2].partition("/")
        return rest.partition("/")[0] if kind == "assumed-role" else None


class Ledger:
    """Appends to a file; what a session does a thousand times is one line."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._seen = set(file.read_text(encoding="utf-8").splitlines()) if file.exists() else set[str]()

    def add(self, entry: Entry) -> None:
        """Keep a decision."""
        line = json.dumps(asdict(entry), sort_keys=True, default=str)
        with self._lock:
            if line in self._seen:
                return
            self._seen.add(line)
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with self._file.open("a", encoding="utf-8") as file:
                file.write(line + "\n")


def read_ledger(file: Path) -> Iterator[Entry]:
    """Every decision of a ledger, in the order in which each was made first."""
    if file.exists():
        for line in file.read_text(encoding="utf-8").splitlines():
            yield Entry(**json.loads(line))
