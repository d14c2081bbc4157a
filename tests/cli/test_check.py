"""`tunestack check`: every valid edit of the settings passes, whatever it changes; what is wrong is said, all of it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import CONFIG, ROOT

pytestmark = pytest.mark.slow
# Environment, what stands in its file, and what a team writes in its place.
EDITS = {
    "a larger GPU": ("prod", "instance_type: ml.g5.2xlarge\n    allowed", "instance_type: ml.g6e.2xlarge\n    allowed"),
    "another budget": ("prod", "run_usd: 20", "run_usd: 30"),
    "fewer runs": ("prod", "runs_per_month: 8", "runs_per_month: 4"),
    "another recipe": ("dev", "recipe: smollm2-135m-qlora.yaml", "recipe: llama-3.1-8b-qlora.yaml"),
    "no spot": ("dev", "    spot: true\n    max_wait_minutes: 240\n", ""),
    "a network": ("dev", "private_vpc: false", "private_vpc: true"),
    "another region": ("dev", "recipe:", "region: eu-west-1\nrecipe:"),
    "longer logs": ("staging", "log_retention_days: 90", "log_retention_days: 180"),
    "a project of its own": ("staging", "recipe:", "project: forge\nrecipe:"),
    "an account, tags and consumers": (
        "local",
        "recipe:",
        'account: "123456789012"\ntags: {owner: ml}\nregistry:\n  consumer_accounts: ["210987654321"]\nrecipe:',
    ),
}


@pytest.fixture
def config(tmp_path: Path) -> Path:
    shutil.copytree(CONFIG, tmp_path / "config")
    return tmp_path / "config"


def check(config: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "TUNESTACK_CONFIG": str(config)}
    command = [sys.executable, "-m", "tunestack.cli.main", "check", "--out", str(config.parent / "out"), *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)


@pytest.mark.parametrize("edit", EDITS)
def test_a_valid_edit_of_the_settings_passes(edit: str, config: Path) -> None:
    env, before, after = EDITS[edit]
    file = config / f"{env}.yaml"
    assert before in file.read_text()
    file.write_text(file.read_text().replace(before, after, 1))
    done = check(config, "--env", env)
    assert done.returncode == 0, done.stderr
    assert "all are met" in done.stdout and "no pack finds anything" in done.stdout and "a month" in done.stdout


def test_every_problem_of_every_file_is_said_before_anything_is_synthesized(config: Path) -> None:
    for name, wrong in (("dev", "max_runtime_minutes: -1"), ("prod", "max_runtime_minutes: many")):
        file = config / f"{name}.yaml"
        file.write_text(
            file.read_text().replace("max_runtime_minutes: 120", wrong).replace("max_runtime_minutes: 720", wrong)
        )
    (config / "recipes" / "spare.yaml").write_text("model: {name_or_path: a/b}\nlora: {rank: 8}\n")
    done = check(config)
    assert done.returncode == 1 and "Traceback" not in done.stderr and not (config.parent / "out").exists()
    # A recipe that nobody uses is read, too.
    for place in ("config/dev.yaml:", "config/prod.yaml:", "config/recipes/spare.yaml:2: lora.rank: unknown key"):
        assert place in done.stderr, done.stderr


def test_a_folder_without_an_environment_is_not_good(tmp_path: Path) -> None:
    done = check(tmp_path / "nowhere")
    assert done.returncode == 1 and "there is nothing to check" in done.stderr


def test_templates_are_held_to_what_was_accepted(config: Path) -> None:
    """`make check` and `make snapshots`, on one environment."""
    environment = {**os.environ, "TUNESTACK_CONFIG": str(config), "PYTEST_ADDOPTS": ""}

    def templates(*arguments: str) -> "subprocess.CompletedProcess[str]":
        command = [
            sys.executable,
            "-m",
            "pytest",
            "checks",
            "-rs",
            "--assemblies",
            str(config.parent / "out"),
            *arguments,
        ]
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)

    # GIVEN an environment of which nothing was accepted: that is said, and then it is accepted
    assert check(config, "--env", "dev").returncode == 0
    assert "make snapshots" in templates().stdout
    assert templates("--snapshot-update").returncode == 0
    # (What was accepted of an environment that isn't checked this time stays.)
    accepted = next((config / "snapshots").rglob("*dev-storage*"))
    other = accepted.with_name(accepted.name.replace("dev-", "prod-"))
    other.write_text("Resources: {}\n")
    assert templates().returncode == 0 and other.exists()
    # WHEN a setting changes
    file = config / "dev.yaml"
    file.write_text(file.read_text().replace("max_runtime_minutes: 120", "max_runtime_minutes: 130"))
    assert check(config, "--env", "dev").returncode == 0
    # THEN the definition differs, and storage doesn't
    found = templates()
    assert found.returncode == 1 and "[dev-definition]" in found.stdout and "[dev-storage]" not in found.stdout
