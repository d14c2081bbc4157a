"""What a machine may have around the kit: a proxy for everything, a profile that isn't there, ASCII alone."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.local.conftest import free_port
from tunestack.local.address import around_proxies

# Nobody listens there: what goes by it fails.
PROXY = "http://127.0.0.1:9"
ODD = {
    **dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY"), PROXY),
    "AWS_PROFILE": "of-somebody-else", "AWS_SESSION_TOKEN": "of-somebody-else", "PYTHONIOENCODING": "ascii", "LC_ALL": "C", "PYTHONUTF8": "0",
    "PYTHONCOERCECLOCALE": "0", "PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"],
}  # fmt: skip


def tunestack(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tunestack.cli.main", *arguments],
        cwd=folder, env=ODD, capture_output=True, encoding="utf-8", errors="replace",
    )  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A project whose local AWS was started there."""
    made = tmp_path_factory.mktemp("project")
    (made / ".tunestack" / "local").mkdir(parents=True)
    started = tunestack(made, "local", "up", "--port", str(free_port()))
    assert started.returncode == 0, started.stdout + started.stderr
    yield made
    ended = tunestack(made, "local", "down", "--delete-data")
    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.slow
@pytest.mark.parametrize("command", ["executions", "models list", "describe latest"])
def test_the_local_aws_is_asked_directly_and_by_no_profile(command: str, folder: Path) -> None:
    asked = tunestack(folder, *command.split())
    assert asked.returncode == 1 and "`cdk deploy --all -c env=" in asked.stderr, asked.stderr


@pytest.mark.parametrize("given", ["", "intern.example, .corp", "localhost"])
def test_what_needs_no_proxy_already_is_kept(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv("NO_PROXY", given)
    found = around_proxies()
    hosts = found["no_proxy"].split(",")
    assert found["NO_PROXY"] == found["no_proxy"]
    assert {"localhost", "127.0.0.1", *(part.strip() for part in given.split(",") if part)} == {*hosts} - {".localhost"}
    assert len(hosts) == len(set(hosts))


@pytest.mark.parametrize("command", ["memory --model Qwen/Qwen3-8B", "plan --model Qwen/Qwen3-8B", "settings check"])
def test_signs_that_the_output_has_not_cost_no_command(command: str) -> None:
    done = tunestack(ROOT, *command.split())
    assert done.returncode == 0, done.stderr
