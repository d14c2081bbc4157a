"""What the tests share: each environment is synthesized once a session, with cdk-nag and every check."""

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
ENVIRONMENTS = ("dev", "local", "prod", "staging")
# dev, staging and prod together, each in an account of its own, with models promoted from one to the next.
ACCOUNTS = "dev,staging,prod"


class Assembly:
    """A synthesized cloud assembly, read from disk."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def templates(self) -> dict[str, dict[str, Any]]:
        files = sorted(self.folder.glob("*.template.json"))
        return {file.name.removesuffix(".template.json"): json.loads(file.read_text()) for file in files}

    def template(self, stack: str) -> dict[str, Any]:
        return next(value for name, value in self.templates.items() if name.endswith(f"-{stack}"))

    def resources(self, kind: str) -> dict[str, dict[str, Any]]:
        found = {}
        for template in self.templates.values():
            found |= {name: item for name, item in template["Resources"].items() if item["Type"] == kind}
        return found

    def report(self) -> dict[str, Any]:
        return json.loads((self.folder / "validation-report.json").read_text())


def synthesize(folder: Path, env: str, *, cwd: Path | None = None, root: Path = ROOT) -> Assembly:
    """Run the app of a source tree as the CDK CLI runs it: without credentials, and with no network to use."""
    context = {**json.loads((root / "cdk.json").read_text())["context"], "env": env}
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": os.environ.get("HOME", "/"),
        "PYTHONPATH": os.pathsep.join(str(root / name) for name in ("", "constructs", "training_code")),
        "CDK_OUTDIR": str(folder),
        "CDK_CONTEXT_JSON": json.dumps(context),
    }
    done = subprocess.run(
        [sys.executable, str(root / "app.py")],
        cwd=cwd or root,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return Assembly(folder)


@pytest.fixture(scope="session")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """assembly(env): the environment's cloud assembly, or with `accounts` that of its account, ACCOUNTS that of all three."""

    @cache
    def make(env: str, *, accounts: bool = False) -> Assembly:
        if accounts or env == ACCOUNTS:
            from tests.three_accounts import tree_of

            tree = tree_of(tmp_path_factory.mktemp("tree"))
            return synthesize(tmp_path_factory.mktemp("accounts"), env, root=tree)
        return synthesize(tmp_path_factory.mktemp(env), env)

    return make
