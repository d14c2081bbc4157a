"""CONTRIBUTING's worked examples, followed word by word; the new step's is followed by tests/local/test_new_job.py."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.worked_examples import examples, tree_with

_IA3 = """
from tunestack.sizing.job.named_methods import job_of_method
from tunestack.sizing.job.trainable import added_parameters
from tunestack.sizing.model.model_source import find_model
print(added_parameters(find_model("HuggingFaceTB/SmolLM2-135M-Instruct"), job_of_method("ia3")))
"""
# Example → what its author runs, and what that prints.
FOLLOWED = {
    "A new rule on templates": (["-m", "pytest", "tests/rules/test_rules.py", "-k", "topic"], "2 passed"),
    "A new policy on jobs": (
        ["-m", "pytest", "tests/definition/test_policies.py", "-k", "processing_time"],
        "2 passed",
    ),
    "A new method": (["-c", _IA3], "57600"),
    "A new instance type": (
        ["-c", "from tunestack.catalogue.instances import instance_types as t; print(t()['ml.m7i-flex.2xlarge'])"],
        "memory_gib=32.0",
    ),
    "A new price": (
        [
            "-c",
            "from tunestack.catalogue.prices import find_price as f; print(f('SNS', 'API requests', region='us-east-1'))",
        ],
        "usd=0.5",
    ),
}


def test_every_example_is_followed() -> None:
    assert examples().keys() == {*FOLLOWED, "A new step"}
    assert all(1 <= len(changes) <= 3 for changes in examples().values())


@pytest.mark.parametrize("example", FOLLOWED)
def test_it_works_as_written(example: str, tmp_path: Path) -> None:
    tree = tree_with(example, tmp_path)
    command, printed = FOLLOWED[example]
    path = os.pathsep.join(str(tree / name) for name in ("", "constructs", "training_code"))
    environment = {**os.environ, "PYTHONPATH": path, "TUNESTACK_CONFIG": str(tree / "tests" / "config")}
    done = subprocess.run([sys.executable, *command], cwd=tree, env=environment, capture_output=True, text=True)
    assert done.returncode == 0 and printed in done.stdout, done.stdout + done.stderr
    new = [change.path for change in examples()[example] if change.path.endswith(".py")]
    if new:
        checked = subprocess.run(["ruff", "check", *new], cwd=tree, capture_output=True, text=True)
        formatted = subprocess.run(["ruff", "format", "--check", *new], cwd=tree, capture_output=True, text=True)
        assert checked.returncode == formatted.returncode == 0, checked.stdout + formatted.stdout
