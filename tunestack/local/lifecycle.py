"""Start and stop the local AWS: a server process that outlives the command that started it."""

import fcntl
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
from tunestack.local.address import MODULE, LocalAws, Server

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
    local.home.mkdir(parents=True, exist_ok=True)
    with local.lock_file.open("w") as lock:
        # Two at once would be two servers over one state: the second waits, and finds the first one's.
        fcntl.flock(lock, fcntl.LOCK_EX)
        return _up(local, port=port, enforce=enforce)


def _up(local: LocalAws, *, port: int, enforce: bool) -> bool:
    if server := running_server(local):
        if server.port != port:
            raise LocalAwsError(f"the local AWS already runs on port {server.port}; `tunestack local down` stops it")
        if server.enforce != enforce:
            how = "without" if enforce else "with"
            raise LocalAwsError(f"the local AWS already runs {how} enforcement; `tunestack local down` stops it")
        return False
    if _in_use(port):
        raise LocalAwsError(
            f"port {port} is in use by another program; stop that one, or choose another port with --port"
        )
    with local.log_file.open("a", encoding="utf-8") as log:
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                MODULE,
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
    write_whole(local.server_file, Server(pid=process.pid, port=port, enforce=enforce).text())
    _wait_until_serving(local, process)
    return True


def down(local: LocalAws, *, delete_data: bool) -> bool:
    """Stop it, and with `delete_data` remove all that it holds; whether it ran."""
    server = running_server(local)
    if server is not None:
        os.kill(server.pid, signal.SIGTERM)
        _wait_until_gone(server.pid)
    local.server_file.unlink(missing_ok=True)
    if delete_data:
        shutil.rmtree(local.home, ignore_errors=True)
    return server is not None


def is_running(local: LocalAws) -> bool:
    """Whether its server lives."""
    return running_server(local) is not None


def server_pid(local: LocalAws) -> int | None:
    """The server's process, or None when there is none (any more)."""
    server = running_server(local)
    return server.pid if server else None


def running_server(local: LocalAws) -> Server | None:
    """The server that lives, or None: as it left word of itself or, where that is no use, by its process.

    A process of that number may be another project's by now: its command line says whose it is.
    """
    left = local.server()
    if left and (server := _server_of(left.pid, local)):
        return server
    if not local.home.exists():
        return None
    pids = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return next((server for pid in pids if (server := _server_of(pid, local))), None)


def _server_of(pid: int, local: LocalAws) -> Server | None:
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().decode("utf-8", "replace").split("\0")
    except (OSError, ValueError):
        return None
    return Server.of_command(pid, command, local.home)


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
