"""Files stay small enough to be read: a module is one noun, and only tables are long."""

import subprocess

from tests.conftest import ROOT

MOST_LINES = 300
# Data as code, a row a line.
TABLES = {"tests/rules/test_planted_changes.py"}


def test_no_file_is_longer_than_one_reads() -> None:
    listed = subprocess.run(["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, text=True, check=True)
    files = {
        name: len((ROOT / name).read_text().splitlines()) for name in listed.stdout.split() if (ROOT / name).exists()
    }
    assert len(files) > 300
    long = {name: lines for name, lines in files.items() if lines > MOST_LINES}
    assert long.keys() - TABLES == set(), long
