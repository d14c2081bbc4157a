"""A release: its notes are the changelog's, and the settings that those before shipped are still read."""

import shutil
import tomllib
from pathlib import Path

import pytest

from scripts.release_notes import release_notes
from tests.cli.test_check import check
from tests.conftest import ROOT
from tunestack.settings.loading import environment_names, load_settings

CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
# The `config/` that a release shipped, which its users have edited since.
RELEASES = sorted((ROOT / "tests" / "releases").iterdir())
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_the_notes_of_the_version_are_its_section_alone() -> None:
    notes = release_notes(f"v{PROJECT['version']}", CHANGELOG)
    assert notes.startswith("### ") and "\n## " not in notes
    with pytest.raises(ValueError, match=r"no section of v9.9.9"):
        release_notes("v9.9.9", CHANGELOG)


def test_every_release_before_this_one_has_its_settings_here() -> None:
    versions = [line.split("[")[1].split("]")[0] for line in CHANGELOG.splitlines() if line.startswith("## [")]
    before = set(versions) - {"Unreleased", PROJECT["version"]}
    assert {folder.name for folder in RELEASES} == before


@pytest.mark.parametrize("release", RELEASES, ids=lambda folder: folder.name)
def test_the_settings_of_a_release_are_read_as_they_are(release: Path) -> None:
    config = release / "config"
    names = environment_names(config)
    assert {"dev", "staging", "prod"} <= set(names)
    for name in names:
        assert load_settings(name, config=config).name == name


@pytest.mark.slow
def test_the_settings_of_the_last_release_pass_what_upgrading_asks_for(tmp_path: Path) -> None:
    """`docs/upgrading.md`, step 3: `make check`, without an account."""
    config = Path(shutil.copytree(RELEASES[-1] / "config", tmp_path / "config"))
    done = check(config, "--env", "prod")
    assert done.returncode == 0, done.stderr
    assert "all are met" in done.stdout and "no pack finds anything" in done.stdout
