"""From a data file to answers, in one command; and each of its parts by itself."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from tests.local.conftest import command
from tunestack.aws import Aws
from tunestack.cli import following
from tunestack.executions.describe import ExecutionView

pytestmark = pytest.mark.slow


def lines(file: Path, rows: list[dict[str, Any]]) -> str:
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(file)


@pytest.fixture(scope="module")
def mine(project: Path) -> tuple[str, str]:
    """Sixty rows of one's own, of which some can't be used, and three questions."""
    rows: list[dict[str, Any]] = [
        {"instruction": f"what is the {n}th name", "response": f"it is {n}", "source": "me"} for n in range(58)
    ]
    data = lines(project / "my data.jsonl", [*rows, rows[0], {"instruction": "without a response"}])
    questions: list[dict[str, Any]] = [
        {"instruction": "what is the 3th name"},
        {"nothing": 1},
        {"instruction": "and the 4th"},
    ]
    return data, lines(project / "q.jsonl", questions)


def chosen(uploaded: dict[str, str]) -> list[str]:
    given = {name: value for name, value in uploaded.items() if name not in ("DataUri", "TransformInputUri")}
    return [part for name, value in given.items() for part in ("--param", f"{name}={value}")]


def test_tune_looks_says_what_it_costs_runs_and_shows_both_models_answers(
    uploaded: dict[str, str], mine: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    data, questions = mine
    monkeypatch.setattr(following, "SILENT_SECONDS", 0.0)
    # WHEN a data file is tuned on, with questions
    done = command("tune", data, "--questions", questions, *chosen(uploaded))
    # THEN it says what is in the file and what will be left out
    assert done.exit_code == 0, done.output
    assert "data: 59 questions with answers" in done.output and "1 duplicates will be dropped" in done.output
    assert "1 rows will be rejected" in done.output and "'source' of 59 rows is not trained on" in done.output
    assert "1 will be answered with an error" in done.output
    # what it would cost on AWS, job by job
    assert "on AWS this run would cost about $" in done.output and "FineTune" in done.output
    # that each long step goes on, while it does
    assert re.search(r"FineTune .*so far", done.output)
    # and what came of it, base and tuned side by side
    assert "held-out loss" in done.output and "your questions" in done.output
    # AND the answers are a command of their own
    answers = json.loads(command("answers", "--json").output)
    asked = [item for item in answers if item["of"] == "questions"]
    assert [item["question"] for item in asked][::2] == ["what is the 3th name", "and the 4th"]
    assert all(isinstance(asked[number][model], str) for number in (0, 2) for model in ("base", "tuned"))
    assert asked[1]["tuned"] is None and "instruction" in asked[1]["error"]
    heldout = [item for item in answers if item["of"] == "heldout"]
    assert heldout and all(item["wanted"].startswith("it is") for item in heldout)


def test_how_far_a_step_is_comes_from_its_own_log(
    succeeded: ExecutionView, deployed: Aws, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # GIVEN an execution whose steps, by their logs, have come to their end
    monkeypatch.setattr(following, "SILENT_SECONDS", 0.0)
    monkeypatch.setattr(following, "console", Console(width=200, highlight=False))
    # WHEN they are looked at as steps that run
    running = [replace(step, status="Executing") for step in succeeded.steps if step.job_name]
    following.Follower(deployed, status=None, quiet=False).show(replace(succeeded, steps=running))
    # THEN each says how far it is in what it counts
    said = capsys.readouterr().out
    assert re.search(r"FineTune +(\d+)/\1 steps, loss \d.*so far", said), said
    assert re.search(r"EvaluateModels +(\d+)/\1 rows ", said), said


def test_run_takes_the_same_files(uploaded: dict[str, str], mine: tuple[str, str]) -> None:
    data, questions = mine
    started = command("run", "--data", data, "--questions", questions, "--detach", "--json", *chosen(uploaded))
    execution = json.loads(started.output)["id"]
    described = json.loads(command("describe", execution, "--json").output)
    assert "/datasets/python-docstrings/" in described["parameters"]["DataUri"]
    assert command("stop", execution).exit_code == 0


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"prompt": "a", "chosen": "b", "rejected": "c"}] * 30, "30 of 30 rows are rejected"),
        ([{"instruction": "a", "response": "b"}] * 30, "1 different questions are too few"),
    ],
)
def test_what_the_preparation_would_refuse_is_refused_before_anything_is_uploaded(
    rows: list[dict[str, str]], message: str, deployed: Aws, tmp_path: Path
) -> None:
    for name in ("tune", "data"):
        file = lines(tmp_path / "bad.jsonl", rows)
        done = command(*(["tune", file] if name == "tune" else ["data", "add", file]))
        assert done.exit_code != 0 and message in str(done.exception or done.output)


def test_a_name_cannot_leave_its_prefix(deployed: Aws, mine: tuple[str, str]) -> None:
    for name in ("../other", "a/b", "..", "-x", "a b"):
        done = command("data", "add", mine[0], "--name", name)
        assert done.exit_code != 0 and "a name is of at most 100 letters" in str(done.exception), name
