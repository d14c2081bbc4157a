"""The first hour of a new user, as README has it: a fresh clone, `make demo`, then one's own sixty rows and questions."""

import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.local.conftest import free_port

pytestmark = pytest.mark.slow
# What `make setup` makes, which takes a minute and what CI has made already.
INSTALLED = (".venv", ".venv-training", ".tools", "node_modules")
# Longer than this a user wonders whether it hangs. A machine that is busy with other tests may be some seconds late.
MOST_SILENCE_SECONDS = 60 + 30
FRUITS = ("apple", "banana", "cherry", "grape", "lemon", "lime", "mango", "orange", "peach", "pear", "plum", "kiwi")
FORMS = ("Describe a {}.", "What is a {}?", "Tell me about a {}.", "Say something about a {}.", "Explain a {}.")


class Clone:
    """A fresh clone, with the commands that its user has."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        subprocess.run(["git", "clone", "--quiet", ROOT, folder], check=True)
        for name in INSTALLED:
            (folder / name).symlink_to(ROOT / name)
        self._environment = {
            **os.environ,
            "PATH": f"{folder}/.venv/bin:{folder}/node_modules/.bin:{os.environ['PATH']}",
            # The environment's own installation is of the folder that it was made in.
            "PYTHONPATH": os.pathsep.join(str(folder / name) for name in (".", "constructs", "training_code")),
            "PYTHONUNBUFFERED": "1",
        }

    def run(self, *command: str) -> tuple[str, float]:
        """What a command prints, and the longest time in seconds that it printed nothing."""
        process = subprocess.Popen(
            command, cwd=self.folder, env=self._environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        printed, silence, last = [], 0.0, time.monotonic()
        assert process.stdout
        for line in process.stdout:
            silence, last = max(silence, time.monotonic() - last), time.monotonic()
            printed.append(line)
        assert process.wait() == 0, "".join(printed)[-3000:]
        return "".join(printed), silence


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clone]:
    clone = Clone(tmp_path_factory.mktemp("first") / "tunestack")
    # The usual port may be another test's.
    clone.run("tunestack", "local", "up", "--port", str(free_port()))
    yield clone
    clone.run("tunestack", "local", "down")


def test_a_fresh_clone_s_demo_and_then_one_s_own_rows(clone: Clone) -> None:
    # GIVEN the demo
    printed, silence = clone.run("python", "-m", "demo")
    assert silence < MOST_SILENCE_SECONDS
    assert "what came of it" in printed and "until somebody approves it" in printed
    # WHEN its user brings sixty rows and questions
    rows = [
        {"instruction": form.format(fruit), "response": f"Fruit report: {fruit}. Verdict: eat it before noon."}
        for form in FORMS
        for fruit in FRUITS
    ]
    questions = [{"instruction": f"Describe a {fruit}."} for fruit in ("melon", "coconut", "fig")]
    for name, items in (("mine", rows), ("q", questions)):
        (clone.folder / f"{name}.jsonl").write_text("".join(json.dumps(item) + "\n" for item in items))
    printed, silence = clone.run("tunestack", "tune", "mine.jsonl", "--questions", "q.jsonl")
    # THEN it is never silent for long, and each question has the base's answer and one in the rows' form
    assert silence < MOST_SILENCE_SECONDS
    assert "held-out loss" in printed and "Describe a melon." in printed
    answers, _ = clone.run("tunestack", "answers", "--json")
    asked = [item for item in json.loads(answers) if item["of"] == "questions"]
    assert [item["question"] for item in asked] == [item["instruction"] for item in questions]
    assert all("Verdict" in item["tuned"] and "Verdict" not in item["base"] for item in asked)
