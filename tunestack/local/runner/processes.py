"""What a job started and left behind: with its container's first process a container ends, and all of it ends here."""

import contextlib
import os
import secrets
import signal
from collections.abc import Iterator
from pathlib import Path

_VARIABLE = "TUNESTACK_LOCAL_JOB"


def new_mark() -> dict[str, str]:
    """An environment that whatever a job starts inherits, and by which it is found again."""
    return {_VARIABLE: secrets.token_hex(16)}


def kill_all(mark: dict[str, str]) -> None:
    """Kill what has a mark, in whatever session it runs."""
    for pid in _marked(mark):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)


def _marked(mark: dict[str, str]) -> Iterator[int]:
    """The processes with a mark; none on a system without `/proc`."""
    wanted = f"{_VARIABLE}={mark[_VARIABLE]}".encode()
    for folder in Path("/proc").glob("[0-9]*"):
        # It may be somebody else's, or gone.
        with contextlib.suppress(OSError):
            if wanted in (folder / "environ").read_bytes().split(b"\0"):
                yield int(folder.name)
