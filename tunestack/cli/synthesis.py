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

_BANNER = re.compile(r"(b')?!!")
ROOT = Path(__file__).parents[2]


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
    done = subprocess.run(
        [sys.executable, "app.py"], cwd=root, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        # jsii's banner on Node's version isn't the reason.
        lines = [line for line in done.stderr.strip().splitlines() if not _BANNER.match(line)]
        reason = "\n".join(lines) or "no reason given"
        if "Traceback" in reason:
            reason = reason.splitlines()[-1]
        raise UserError(f"config/{env}.yaml: synthesis failed: {reason}")


@contextmanager
def assembly_of(source: str, env: str) -> Iterator[Path]:
    """The cloud assembly that a name stands for: a folder that is one, or a git revision, synthesized.

    Raises:
        UserError: it is neither, or its synthesis fails.
    """
    if Path(source).is_dir():
        yield Path(source)
        return
    with tempfile.TemporaryDirectory() as folder:
        tree, out = Path(folder) / "tree", Path(folder) / "assembly"
        _git(source, "worktree", "add", "--detach", str(tree), source)
        try:
            synthesize(env, out, root=tree)
            yield out
        finally:
            _git(source, "worktree", "remove", "--force", str(tree))


def _git(source: str, *arguments: str) -> None:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise UserError(f"{source!r} is neither a cloud assembly's folder nor a git revision: {done.stderr.strip()}")
