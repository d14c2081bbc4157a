"""A synthesis that fails says what it found itself: its folder, with the report, may be gone when one reads that."""

import json
from pathlib import Path

import pytest

from tunestack.cli.synthesis import REPORT, synthesize
from tunestack.errors import UserError

APP = """
import json, os, sys
found = {"ruleName": "boundary", "description": "missing: the other roles have one",
         "violatingConstructs": [{"constructPath": "kit-dev-storage/Role"}]}
folder = os.environ["CDK_OUTDIR"]
os.makedirs(folder, exist_ok=True)
with open(f"{folder}/validation-report.json", "w") as file:
    json.dump({"pluginReports": [{"violations": [found]}]}, file)
sys.exit("Validation failed\\nA copy of this report can be found in: " + folder + "/validation-report.json")
"""


@pytest.mark.parametrize(
    ("env", "context", "file"),
    [
        ("dev", {}, "config/dev.yaml"),
        ("dev,prod", {"github": "on"}, "config/dev.yaml, config/prod.yaml"),
        ("dev", {"delivery": "on"}, "config/delivery/delivery.yaml"),
    ],
)
def test_what_the_report_names_is_said_with_the_file_that_was_synthesized(
    env: str, context: dict[str, str], file: str, tmp_path: Path
) -> None:
    (tmp_path / "app.py").write_text(APP)
    (tmp_path / "cdk.json").write_text(json.dumps({"context": {}}))
    with pytest.raises(UserError) as raised:
        synthesize(env, tmp_path / "out", root=tmp_path, context=context)
    text = str(raised.value)
    assert text.startswith(f"{file}: synthesis failed: Validation failed")
    assert "boundary: kit-dev-storage/Role: missing: the other roles have one" in text
    assert REPORT not in text
