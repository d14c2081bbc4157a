"""What the tests share: each environment is synthesized once a session, with cdk-nag and every check."""

import fcntl
import json
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tunestack.template.assembly import Assembly

ROOT = Path(__file__).parents[1]
# The kit's tests have environments of their own: `config/` is its user's, and a valid edit there turns no test red.
CONFIG = ROOT / "tests" / "config"
os.environ["TUNESTACK_CONFIG"] = str(CONFIG)
# A worker of the tests has a core of its own: torch's threads, more of them than cores, would wait for each other.
os.environ["OMP_NUM_THREADS"] = "1"
ENVIRONMENTS = ("dev", "local", "prod", "staging")
# dev, staging and prod together, each in an account of its own, with models promoted from one to the next.
ACCOUNTS = "dev,staging,prod"


def synthesize(folder: Path, env: str, *, cwd: Path | None = None, root: Path = ROOT) -> Assembly:
    """Run the app of a source tree as the CDK CLI runs it: without credentials, and with no network to use.

    The environments are the tests', or those of a tree of its own.
    """
    context = {**json.loads((root / "cdk.json").read_text())["context"], "env": env}
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": os.environ.get("HOME", "/"),
        "PYTHONPATH": os.pathsep.join(str(root / name) for name in ("", "constructs", "training_code")),
        "TUNESTACK_CONFIG": str(CONFIG if root == ROOT else root / "config"),
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
    return Assembly.read(folder)


# The files that take minutes begin first, so that no worker is left alone with one at the end.
LONGEST_FIRST = (
    "local/test_first_hour.py", "sizing/test_own_trainer.py", "local/test_documented_commands.py",
    "local/test_container.py", "local/test_promotion.py", "local/test_deployments.py", "local/test_executions.py",
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    order = {ROOT / "tests" / name: index for index, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: order.get(item.path, len(order)))


@pytest.fixture(scope="session")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """assembly(env): the environment's cloud assembly, or with `accounts` that of its account, ACCOUNTS that of all three."""

    # The workers of a run share the synthesis: who comes first makes it. Each has a copy, since the CDK command line
    # packs assets beside the templates.
    base = tmp_path_factory.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "assemblies"
    shared.mkdir(exist_ok=True)

    @cache
    def make(env: str, *, accounts: bool = False) -> Assembly:
        made = shared / (f"{env}-account" if accounts else env)
        with (shared / f"{made.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (made / "manifest.json").exists():
                own_tree = accounts or env == ACCOUNTS
                synthesize(made, env, root=_tree(tmp_path_factory) if own_tree else ROOT)
        copied = tmp_path_factory.mktemp(made.name)
        shutil.copytree(made, copied, dirs_exist_ok=True)
        return Assembly.read(copied)

    return make


def _tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests.three_accounts import tree_of

    return tree_of(tmp_path_factory.mktemp("tree"))
