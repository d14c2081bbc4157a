"""The recipe's module is shared with the containers, so it needs nothing but pydantic, in one version."""

import ast
import re
import subprocess
import sys

from tests.conftest import ROOT

MODULE = ROOT / "training_code" / "tunestack_training" / "recipe.py"


def test_it_imports_nothing_but_pydantic_and_what_python_has() -> None:
    nodes = list(ast.walk(ast.parse(MODULE.read_text())))
    imported = {node.module for node in nodes if isinstance(node, ast.ImportFrom)}
    imported |= {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    assert imported == {"re", "typing", "pydantic"}


def test_both_sides_lock_the_same_pydantic() -> None:
    files = ("requirements.txt", "training_code/requirements.txt")
    versions = [re.search(r"^pydantic==(\S+)$", (ROOT / file).read_text(), re.MULTILINE) for file in files]
    assert versions[0] is not None and versions[1] is not None
    assert versions[0].group(1) == versions[1].group(1)


def test_reading_settings_brings_no_training_library_along() -> None:
    code = "import sys, tunestack.settings; print({'torch', 'transformers', 'trl', 'peft'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "set()"
