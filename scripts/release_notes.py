"""The notes of a release, as the changelog has them: `python -m scripts.release_notes v0.2.0`."""

import re
import sys
from pathlib import Path

CHANGELOG = Path(__file__).parents[1] / "CHANGELOG.md"


def release_notes(version: str, changelog: str) -> str:
    """What a version's section says, without its heading.

    Raises:
        ValueError: the changelog has no such section, or nothing in it.
    """
    heading = re.escape(version.removeprefix("v"))
    found = re.search(rf"^## \[{heading}\] - \d{{4}}-\d\d-\d\d\n(.*?)(?=^## |\Z)", changelog, re.MULTILINE | re.DOTALL)
    if found is None or not found[1].strip():
        raise ValueError(
            f"CHANGELOG.md has no section of {version} with its date: ## [{version.removeprefix('v')}] - …"
        )
    return found[1].strip() + "\n"


if __name__ == "__main__":
    try:
        sys.stdout.write(release_notes(sys.argv[1], CHANGELOG.read_text(encoding="utf-8")))
    except ValueError as error:
        sys.exit(f"error: {error}")
