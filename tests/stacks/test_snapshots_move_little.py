"""A reviewer sees what a change does and nothing else: code and assets move no line, a setting as many as it has effects."""

import difflib
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import CONFIG, ROOT, synthesize
from tunestack.layout import StackName
from tunestack.template.assembly import Assembly
from tunestack.template.readable import ReadableStack, as_yaml

pytestmark = pytest.mark.slow


def shown(assembly: Assembly) -> list[str]:
    """All that the snapshots show of dev."""
    stacks = [
        ReadableStack(assembly, "dev", stack) for stack in StackName if f"tunestack-dev-{stack}" in assembly.templates
    ]
    definition = ReadableStack(assembly, "dev", StackName.PIPELINE).definition()
    trees = [*(stack.template() for stack in stacks), definition, *(stack.statements() for stack in stacks)]
    return [line for tree in trees for line in as_yaml(tree).splitlines()]


def moved(before: list[str], after: list[str]) -> list[str]:
    lines = difflib.unified_diff(before, after, n=0, lineterm="")
    return [line for line in lines if line[0] in "+-" and not line.startswith(("+++", "---"))]


@pytest.fixture
def kit(tmp_path: Path) -> Path:
    left_out = shutil.ignore_patterns(".*", "node_modules", "cdk.out", "docs", "tests", "config", "__pycache__")
    shutil.copytree(ROOT, tmp_path / "kit", ignore=left_out)
    shutil.copytree(CONFIG, tmp_path / "kit" / "config")
    return tmp_path / "kit"


def test_changed_training_code_and_assets_move_no_line(kit: Path, assembly: Any, tmp_path: Path) -> None:
    with (kit / "training_code" / "tunestack_training" / "train.py").open("a") as file:
        file.write("# changed\n")
    with (kit / "constructs" / "tunestack_functions" / "image_build.py").open("a") as file:
        file.write("# changed\n")
    after = synthesize(tmp_path / "out", "dev", root=kit)
    first, second = (each.template("pipeline") for each in (assembly("dev"), after))
    assert first != second, "the image's tag follows the code"
    assert moved(shown(assembly("dev")), shown(after)) == []


def test_a_changed_setting_moves_about_as_many_lines_as_it_has_effects(
    kit: Path, assembly: Any, tmp_path: Path
) -> None:
    file = kit / "config" / "dev.yaml"
    file.write_text(file.read_text().replace("max_runtime_minutes: 120", "max_runtime_minutes: 150"))
    found = moved(shown(assembly("dev")), shown(synthesize(tmp_path / "out", "dev", root=kit)))
    # The limit itself, and the most that a run can cost: its hours, and the total in metadata and output.
    assert len(found) == 2 * 4, found
