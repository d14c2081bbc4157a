"""The real CDK command line against the AWS on this machine."""

import os
import subprocess
import tempfile
from pathlib import Path

from tunestack.local import LocalAws
from tunestack.local.address import ACCOUNT, OF_A_REAL_ACCOUNT, REGION

ROOT = Path(__file__).parents[1]


class DeploymentError(Exception):
    """The CDK command line failed; the text is the end of what it printed."""


def cdk(local: LocalAws, *arguments: str, cwd: Path = ROOT, account: str = ACCOUNT) -> str:
    """Run `cdk` with the local AWS's address and credentials; what it printed.

    Raises:
        DeploymentError: it failed.
    """
    tools = f"{ROOT / '.venv' / 'bin'}:{ROOT / 'node_modules' / '.bin'}"
    environment = {**os.environ, **local.environment(account), "PATH": f"{tools}:{os.environ['PATH']}", "CI": "true"}
    for name in OF_A_REAL_ACCOUNT:
        environment.pop(name, None)
    done = subprocess.run(
        ["cdk", *arguments],
        cwd=cwd,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        tail = "\n".join(done.stdout.splitlines()[-25:])
        raise DeploymentError(f"`cdk {' '.join(arguments)}` failed:\n{tail}")
    return done.stdout


def bootstrap(local: LocalAws, *, account: str = ACCOUNT) -> None:
    """`cdk bootstrap`, from an empty folder: it would synthesize the app otherwise."""
    with tempfile.TemporaryDirectory() as empty:
        cdk(local, "bootstrap", f"aws://{account}/{REGION}", cwd=Path(empty), account=account)


def synthesize(local: LocalAws, assembly: Path, *, env: str = "local") -> None:
    """`cdk synth` of an environment into a folder."""
    cdk(local, "synth", "--quiet", "-c", f"env={env}", "--output", str(assembly))


def deploy(local: LocalAws, assembly: Path, *, account: str = ACCOUNT) -> str:
    """`cdk deploy` of every stack of a synthesized assembly."""
    return cdk(
        local, "deploy", "--all", "--app", str(assembly), "--require-approval", "never", "--method", "direct",
        "--concurrency", "4", account=account,
    )  # fmt: skip
