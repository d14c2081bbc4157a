"""Start and stop the local AWS: a server process that outlives the command that started it."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from tunestack.errors import UserError
from tunestack.files import write_whole
from tunestack.local.address import LocalAws

START_SECONDS = 60
STOP_SECONDS = 150


class LocalAwsError(UserError):
    """The local AWS can't be started or stopped; the text says why and what to do."""


def up(local: LocalAws, *, port: int, enforce: bool = True) -> bool:
    """Start it unless it runs already; whether it was started now. `enforce`: requests are authorized as on AWS.

    Raises:
        LocalAwsError: this isn't Linux, the port is in use by somebody else, or the server doesn't come up.
    """
    if sys.platform != "linux":
        raise LocalAwsError(
            "the local AWS runs on Linux: it reads /proc, and its jobs end with it by prctl; elsewhere, use a Linux "
            "container or WSL. Planning, sizing and deploying to an account need no local AWS"
        )
    if is_running(local):
        running_on = local.port()
        if running_on != port:
            raise LocalAwsError(f"the local AWS already runs on port {running_on}; `tunestack local down` stops it")
        if local.enforces() != enforce:
            how = "without" if enforce else "with"
            raise LocalAwsError(f"the local AWS already runs {how} enforcement; `tunestack local down` stops it")
        return False
    if _in_use(port):
        raise LocalAwsError(
            f"port {port} is in use by another program; stop that one, or choose another port with --port"
        )
    local.home.mkdir(parents=True, exist_ok=True)
    with local.log_file.open("a", encoding="utf-8") as log:
        server = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "tunestack.local.emulator.serve",
                str(local.home),
                str(port),
                *([] if enforce else ["--no-enforce"]),
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            cwd=local.home,
        )
    write_whole(local.server_file, json.dumps({"pid": server.pid, "port": port, "enforce": enforce}))
    _wait_until_serving(local, server)
    return True


def down(local: LocalAws, *, delete_data: bool) -> bool:
    """Stop it, and with `delete_data` remove all that it holds; whether it ran."""
    pid = server_pid(local)
    if pid is not None:
        os.kill(pid, signal.SIGTERM)
        _wait_until_gone(pid)
    local.server_file.unlink(missing_ok=True)
    if delete_data:
        shutil.rmtree(local.home, ignore_errors=True)
    return pid is not None


def is_running(local: LocalAws) -> bool:
    """Whether its server lives."""
    return server_pid(local) is not None


def server_pid(local: LocalAws) -> int | None:
    """The server's process, or None when there is none (any more)."""
    try:
        pid = int(json.loads(local.server_file.read_text(encoding="utf-8"))["pid"])
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ValueError, KeyError, ProcessLookupError):
        return None
    # A process of that number may be another project's by now.
    ours = b"tunestack.local.emulator.serve" in command and str(local.home).encode() in command.split(b"\0")
    return pid if ours else None


def running(local: LocalAws) -> LocalAws:
    """The same, if it runs.

    Raises:
        LocalAwsError: it doesn't, and whoever answers on its port is somebody else.
    """
    if not is_running(local):
        raise LocalAwsError(f"the local AWS of {local.home.parents[1]} does not run: `tunestack local up` starts it")
    return local


def _wait_until_serving(local: LocalAws, server: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if server.poll() is not None:
            tail = "\n".join(local.log_file.read_text(encoding="utf-8", errors="replace").splitlines()[-5:])
            raise LocalAwsError(f"the local AWS ended while starting; the end of {local.log_file}:\n{tail}")
        if _in_use(local.port() or 0):
            return
        time.sleep(0.1)
    raise LocalAwsError(f"the local AWS did not start within {START_SECONDS} s; see {local.log_file}")


def _wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + STOP_SECONDS
    while time.monotonic() < deadline:
        try:
            status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
        except (FileNotFoundError, ProcessLookupError):
            return
        if status.rpartition(")")[2].split()[0] == "Z":
            return
        time.sleep(0.1)
    # What it runs ends with it, and the next start finds the state as it was last written.
    os.kill(pid, signal.SIGKILL)


def _in_use(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
