"""The app, synthesized as the CDK command line does it: of this tree, or of a git revision."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tunestack.errors import UserError
from tunestack.settings.recipe import CONFIG_FOLDER

# Of CDK's validation plugins, in the assembly's folder.
REPORT = "validation-report.json"
_BANNER = re.compile(r"(b')?!!")
ROOT = Path(__file__).parents[2]
# Where `tunestack check` leaves its assemblies: not in cdk.out, which a delivery hands on whole.
CHECKED = ROOT / ".tunestack" / "check"


def synthesize(env: str, folder: Path, *, root: Path = ROOT, context: Mapping[str, str] | None = None) -> None:
    """Run the app of a source tree into a folder; `context` is what `-c` gives beside the environment.

    Raises:
        UserError: synthesis fails; with its message.
    """
    if shutil.which("node") is None:
        raise UserError("node isn't on the PATH, and CDK needs it: install Node.js 20 or newer, or `make setup`")
    of_app = json.loads((root / "cdk.json").read_text(encoding="utf-8"))["context"]
    whole = {**of_app, "env": env, **(context or {})}
    # A revision's own packages come before the installed ones.
    path = os.pathsep.join(str(item) for item in (root, root / "constructs", root / "training_code"))
    environment = {
        **os.environ, "PYTHONPATH": path, "CDK_OUTDIR": str(folder), "CDK_CONTEXT_JSON": json.dumps(whole),
    }  # fmt: skip
    environment["TUNESTACK_CONFIG"] = str(config_of(root))
    done = subprocess.run(
        [sys.executable, "app.py"], cwd=root, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        # jsii's banner on Node's version isn't the reason.
        lines = [line for line in done.stderr.strip().splitlines() if not _BANNER.match(line)]
        reason = "\n".join(lines) or "no reason given"
        if "Traceback" in reason:
            reason = reason.splitlines()[-1]
        raise UserError(f"{_files(env, whole)}: synthesis failed: {_with_findings(reason, folder)}")


def _files(env: str, context: Mapping[str, str]) -> str:
    """What was synthesized, as its file is called."""
    if context.get("delivery"):
        return "config/delivery/delivery.yaml"
    return ", ".join(f"config/{name}.yaml" for name in env.split(","))


def _with_findings(reason: str, folder: Path) -> str:
    """The reason with what the report of the validation names: its folder may be gone before anybody reads it."""
    try:
        report = json.loads((folder / REPORT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return reason
    found = [
        f"{violation['ruleName']}: {construct.get('constructPath', '')}: {violation['description']}"
        for plugin in report.get("pluginReports", [])
        for violation in plugin.get("violations", [])
        for construct in violation.get("violatingConstructs", [{}])
    ]
    kept = [line for line in reason.splitlines() if REPORT not in line]
    return "\n".join([*kept, *(f"  {line}" for line in found)]) if found else reason


def config_of(root: Path) -> Path:
    """The settings' folder that goes with a source tree: its own, or the one outside of every tree."""
    return root / CONFIG_FOLDER.relative_to(ROOT) if CONFIG_FOLDER.is_relative_to(ROOT) else CONFIG_FOLDER


@contextmanager
def assembly_of(source: str, env: str) -> Iterator[Path]:
    """The cloud assembly that a name stands for: a folder that is one, or a git revision, synthesized.

    Raises:
        UserError: it is neither, or its synthesis fails.
    """
    if Path(source).is_dir():
        yield Path(source)
        return
    with tree_of(source) as tree, tempfile.TemporaryDirectory() as out:
        synthesize(env, Path(out), root=tree)
        yield Path(out)


@contextmanager
def tree_of(revision: str) -> Iterator[Path]:
    """The source tree of a git revision, as long as it is looked at.

    Raises:
        UserError: there is no such revision.
    """
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        _git(revision, "worktree", "add", "--detach", str(tree), revision)
        try:
            yield tree
        finally:
            _git(revision, "worktree", "remove", "--force", str(tree))


def _git(source: str, *arguments: str) -> None:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise UserError(f"{source!r} is neither a cloud assembly's folder nor a git revision: {done.stderr.strip()}")
