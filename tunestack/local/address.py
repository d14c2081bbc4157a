"""Where the local AWS keeps its state, and how to reach it."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

LOCAL_ENVIRONMENT = "local"
# A 12-digit access key is the account that the emulator takes the caller for.
ACCOUNT = "000000000000"
REGION = "us-east-1"
DEFAULT_PORT = 4566
LOG_NAME = "server.log"
_LOOPBACK = ("localhost", ".localhost", "127.0.0.1")
# Of the environment, what the local AWS must not see: there may be no such profile, and the token isn't its own.
OF_A_REAL_ACCOUNT = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN")
# What a server's process runs.
MODULE = "tunestack.local.emulator.serve"
_FOLDER = Path(".tunestack") / "local"
# What a copy of the kit has.
_KIT = ("cdk.json", "app.py", "tunestack")


@dataclass(frozen=True, kw_only=True)
class Server:
    """Who serves, and how."""

    pid: int
    port: int
    enforce: bool

    @classmethod
    def parse(cls, text: str) -> "Server | None":
        """What a server left of itself; None where that has any other shape, whoever wrote it."""
        try:
            found = json.loads(text)
            return cls(pid=int(found["pid"]), port=int(found["port"]), enforce=bool(found.get("enforce")))
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
            return None

    @classmethod
    def of_command(cls, pid: int, command: list[str], home: Path) -> "Server | None":
        """The server of a folder by a process's command line; None where it is another's."""
        if MODULE not in command or str(home) not in command:
            return None
        port = next((word for word in command[command.index(str(home)) + 1 :] if word.isdigit()), None)
        return cls(pid=pid, port=int(port), enforce="--no-enforce" not in command) if port else None

    def text(self) -> str:
        """What is left for others to find it."""
        return json.dumps({"pid": self.pid, "port": self.port, "enforce": self.enforce})


@dataclass(frozen=True, kw_only=True)
class LocalAws:
    """A local AWS by its folder. It may be running or not."""

    home: Path

    @property
    def server_file(self) -> Path:
        """Says who serves: {"pid": …, "port": …, "enforce": …}."""
        return self.home / "server.json"

    @property
    def log_file(self) -> Path:
        return self.home / LOG_NAME

    @property
    def logs_folder(self) -> Path:
        """A file for each log stream: its events."""
        return self.home / "logs"

    @property
    def ledger_file(self) -> Path:
        """Who was allowed or refused what."""
        return self.home / "ledger.jsonl"

    @property
    def executions_folder(self) -> Path:
        """The state of pipeline executions and their jobs."""
        return self.home / "executions"

    @property
    def jobs_folder(self) -> Path:
        """A folder per job, which is its container's `/opt/ml`."""
        return self.home / "jobs"

    @property
    def lock_file(self) -> Path:
        """Held by who starts it."""
        return self.home / "starting.lock"

    def server(self) -> Server | None:
        """What the server left of itself, if it can be read."""
        try:
            return Server.parse(self.server_file.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError):
            return None

    def port(self) -> int | None:
        """The port that it serves on, or None when nobody knows."""
        server = self.server()
        return server.port if server else None

    @property
    def endpoint_url(self) -> str:
        # Not 127.0.0.1: the CDK CLI would take the bucket's name for a part of the host.
        return f"http://localhost:{self.port() or DEFAULT_PORT}"

    def environment(self, account: str = ACCOUNT) -> dict[str, str]:
        """What makes AWS clients, the CDK CLI among them, talk to it as an account; nothing real gets through."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_ACCESS_KEY_ID": account,
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
            "AWS_EC2_METADATA_DISABLED": "true",
            **around_proxies(),
            # The CLI keeps whose account an access key is.
            "CDK_HOME": str(self.home / "cdk-home" / account),
        }


def around_proxies() -> dict[str, str]:
    """The environment in which this machine itself is reached without a proxy, whatever proxy there is for the rest."""
    given = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    hosts = [host.strip() for host in given.split(",") if host.strip()]
    # In both spellings: which one counts is for each library to choose.
    value = ",".join(dict.fromkeys([*hosts, *_LOOPBACK]))
    return {"NO_PROXY": value, "no_proxy": value}


def local_aws(root: Path | None = None) -> LocalAws:
    """The local AWS of a project's folder; without one, of the project that the working directory is in."""
    return LocalAws(home=(root or project_folder(Path.cwd())).resolve() / _FOLDER)


def project_folder(start: Path) -> Path:
    """The nearest folder upwards that has a local AWS or is a copy of the kit; elsewhere, the kit that runs."""
    for folder in (start, *start.parents):
        if (folder / _FOLDER).is_dir() or all((folder / name).exists() for name in _KIT):
            return folder
    return Path(__file__).parents[2]
