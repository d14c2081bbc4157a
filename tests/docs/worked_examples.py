"""CONTRIBUTING's worked examples: their files as the page has them, and a tree with one of them in it."""

import re
import shutil
import subprocess
import textwrap
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import ROOT

_FILE = re.compile(r"^\d\. `(?P<path>[\w./-]+)`.*?\n\n {4}```(?P<kind>\w+)\n(?P<body>.*?)\n {4}```$", re.M | re.S)
_LEFT_OUT = (".*", "node_modules", "cdk.out", "__pycache__", "site")


@dataclass(frozen=True)
class Change:
    """A file of an example: `diff` changes what is there, `csv` adds a row, all else is a new file."""

    path: str
    kind: str
    body: str


def examples() -> dict[str, list[Change]]:
    """Each example's files by the example's title."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    sections = text.split("## Worked examples")[1].split("\n## ")[0].split("\n### ")[1:]
    return {
        section.splitlines()[0]: [
            Change(found["path"], found["kind"], textwrap.dedent(found["body"]) + "\n")
            for found in _FILE.finditer(section)
        ]
        for section in sections
    }


def tree_with(example: str, folder: Path) -> Path:
    """A copy of the kit with an example applied, as somebody would who follows the page."""
    tree = folder / "kit"
    shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns(*_LEFT_OUT))
    for change in examples()[example]:
        file = tree / change.path
        if change.kind == "diff":
            _patch(tree, change)
        elif change.kind == "csv":
            file.write_text(file.read_text(encoding="utf-8") + change.body, encoding="utf-8")
        else:
            assert not file.exists(), f"{change.path} is there already"
            file.write_text(change.body, encoding="utf-8")
    return tree


def _patch(tree: Path, change: Change) -> None:
    """The change, by git, which finds its place by what is around it."""
    patch = f"--- a/{change.path}\n+++ b/{change.path}\n@@ -1 +1 @@\n{change.body}"
    command = ["git", "apply", "--recount", "--unidiff-zero", "-"]
    file = tree / change.path
    before = [line[1:] for line in change.body.splitlines() if line[0] in " -"]
    number = file.read_text(encoding="utf-8").splitlines().index(before[0]) + 1
    patch = patch.replace("@@ -1 +1 @@", f"@@ -{number} +{number} @@")
    done = subprocess.run(command, cwd=tree, input=patch, capture_output=True, text=True)
    assert done.returncode == 0, f"{change.path}: {done.stderr}"
