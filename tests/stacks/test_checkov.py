"""checkov finds nothing in any template but what is accepted beside its resource."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ACCOUNTS, ROOT

CHECKOV = ROOT / ".venv-checkov" / "bin" / "checkov"
# Functions of CDK's own, whose templates nobody here writes.
OF_CDK = ("CustomVpcRestrictDefaultSG", "CustomS3AutoDeleteObjects")


def findings(folder: Path) -> list[tuple[str, str]]:
    """Check and resource of what is found in a folder of templates."""
    command: list[str | Path] = [
        CHECKOV,
        "--directory",
        folder,
        "--framework",
        "cloudformation",
        "--skip-download",
        "--output",
        "json",
    ]
    done = subprocess.run([*command, "--quiet", "--compact"], capture_output=True, text=True, check=False, timeout=900)
    report = json.loads(done.stdout)
    assert report["summary"]["passed"] > 100 and report["summary"]["parsing_errors"] == 0
    found = [(item["check_id"], item["resource"]) for item in report["results"]["failed_checks"]]
    return [(check, resource) for check, resource in found if not resource.partition(".")[2].startswith(OF_CDK)]


@pytest.mark.slow
@pytest.mark.parametrize("env", ["dev", "prod", ACCOUNTS])
def test_nothing_is_found(assembly: Any, env: str) -> None:
    assert findings(assembly(env).folder) == []
