"""What comes after a run: its version is looked at, decided on, asked; runs are compared and deleted."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.axe import serious
from tests.local.conftest import command, run
from tunestack.aws import Aws
from tunestack.cli.main import tunestack
from tunestack.executions.describe import ExecutionView

pytestmark = pytest.mark.slow


def test_a_version_is_listed_shown_approved_and_rejected(succeeded: ExecutionView) -> None:
    listed = json.loads(command("models", "list", "--json").output)
    newest = str(listed[0]["number"])
    assert listed[0]["approval"] == "PendingManualApproval"
    assert succeeded.id in {item["metadata"]["pipeline_execution_id"] for item in listed}
    assert re.search(r"PendingManualApproval +undecided +\d+ → \d+.* +0\.\d+", command("models", "list").output)
    # A gate that couldn't decide leaves it to a person, who says why.
    assert f"the gate of version {newest} is undecided" in str(command("models", "approve", newest).exception)
    approved = command("models", "approve", newest, "--reason", "better on all questions")
    assert approved.exit_code == 0 and "PendingManualApproval → Approved" in approved.output
    shown = command("models", "show", newest).output
    assert "Approved" in shown and "better on all questions" in shown and "model.tar.gz" in shown
    assert "is Approved already" in str(command("models", "approve", newest).exception)
    assert command("models", "reject", "latest").exit_code == 0
    assert json.loads(command("models", "show", "latest", "--json").output)["approval"] == "Rejected"
    missing = command("models", "show", "99")
    assert missing.exit_code == 1 and re.search(r"no version '99' of .*; there are 1", str(missing.exception))


def test_a_version_answers_on_this_machine_as_in_the_batch_transform(succeeded: ExecutionView) -> None:
    versions = json.loads(command("models", "list", "--json").output)
    (number,) = (item["number"] for item in versions if succeeded.id in item["model_data_url"])
    asked = [
        item for item in json.loads(command("answers", succeeded.id, "--json").output) if item["of"] == "questions"
    ]
    said = CliRunner().invoke(tunestack, ["chat", str(number)], input=f"{asked[0]['question']}\nand function 4\n")
    assert said.exit_code == 0, said.output
    _, first, second = said.output.splitlines()
    assert first == asked[0]["tuned"].strip("\n") and second


def test_two_runs_are_compared(deployed: Aws, uploaded: dict[str, str], succeeded: ExecutionView) -> None:
    other = run(deployed, uploaded | {"MaxSteps": "9"})
    rows = json.loads(command("compare", succeeded.id, other.id, "--json").output)
    by_name = {(row["of"], row["name"]): (row["first"], row["second"]) for row in rows}
    assert by_name["parameter", "MaxSteps"] == (8, 9)
    assert ("parameter", "LearningRate") not in by_name
    first, second = by_name["result", "heldout loss, tuned"]
    assert first != second and by_name["result", "heldout rows"][0] == by_name["result", "heldout rows"][1]
    assert "train:loss" in {name for of, name in by_name if of == "training"}
    assert "MaxSteps" in command("compare", succeeded.id, other.id).output


def test_an_execution_s_files_are_deleted_once_no_version_is_served_from_them(
    deployed: Aws, deployer: Aws, uploaded: dict[str, str], succeeded: ExecutionView, project: Path
) -> None:
    ended = run(deployed, uploaded | {"MaxSteps": "10"})
    number = json.loads(command("models", "list", "--json").output)[0]["number"]
    refused = command("delete", ended.id, "--yes")
    assert refused.exit_code == 1 and f"tunestack models delete {number}" in str(refused.exception)
    assert command("models", "delete", str(number), "--yes").exit_code == 0
    deleted = command("delete", ended.id, "--yes")
    assert deleted.exit_code == 0 and re.search(r"deleted \d+\.\d MB", deleted.output), deleted.output
    assert "has no files" in command("delete", ended.id, "--yes").output
    # Another's files are still there.
    assert command("answers", succeeded.id).exit_code == 0
    assert command("answers", ended.id).exit_code == 1


def test_an_execution_has_a_page(succeeded: ExecutionView, tmp_path: Path) -> None:
    for suffix in (".html", ".md", ".json"):
        done = command("report", succeeded.id, "--out", str(tmp_path / f"run{suffix}"))
        assert done.exit_code == 0, done.output
    page = (tmp_path / "run.html").read_text()
    for text in (
        f"Execution {succeeded.id}: Succeeded",
        "How the loss fell",
        "What both models answer",
        "EvaluateModels",
    ):
        assert text in page
    assert serious(tmp_path / "run.html", tmp_path, scheme="dark", width=360) == []
    kept = json.loads((tmp_path / "run.json").read_text())
    assert len(kept["history"]) >= 2 and kept["scores"]["heldout"]["rows"] and kept["answers"]
    assert "| FineTune | Succeeded |" in (tmp_path / "run.md").read_text()
