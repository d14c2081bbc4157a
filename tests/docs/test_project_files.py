"""What a contributor relies on: the version, the changelog, the workflow, and that the guide names files that are there."""

import re
import subprocess
import sys
import tomllib
from importlib.metadata import version

import pytest
import yaml

from tests.conftest import ROOT
from tests.docs.worked_examples import examples


def test_the_version_is_the_packages_and_has_its_section_in_the_changelog() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert version("tunestack") == declared
    changelog = (ROOT / "CHANGELOG.md").read_text()
    assert "## [Unreleased]" in changelog and f"## [{declared}]" in changelog
    command = [sys.executable, "-m", "tunestack.cli.main", "--version"]
    assert declared in subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_the_workflow_calls_the_one_test_command() -> None:
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())
    assert {"run": ".ci/run"} in workflow["jobs"]["test"]["steps"]
    assert "make test" in (ROOT / ".ci" / "run").read_text()


def test_the_license_is_apache_s_and_the_package_says_so() -> None:
    assert "Apache License" in (ROOT / "LICENSE").read_text()
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["license"] == "Apache-2.0"


@pytest.mark.parametrize("file", ["CONTRIBUTING.md", "docs/words.md"])
def test_every_file_that_a_guide_names_is_there(file: str) -> None:
    text = (ROOT / file).read_text()
    named = set(re.findall(r"`((?:tunestack|training_code|constructs|tests|stacks|config)/[\w./-]+)`", text))
    # The files that the worked examples add.
    new = {change.path for changes in examples().values() for change in changes}
    assert len(named) > 10
    assert sorted(name for name in named - new if not (ROOT / name).exists()) == []
