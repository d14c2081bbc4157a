"""The first hour of a new user, as README has it: a fresh clone, `make demo`, then one's own sixty rows and questions."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.local.conftest import free_port

pytestmark = pytest.mark.slow
# What `make setup` makes, which takes a minute and what CI has made already.
INSTALLED = (".venv", ".venv-training", ".tools", "node_modules")
# What the demo says as each phase begins; test_following.py holds that a step that goes on speaks once a minute.
PHASES = ("make the base model", "start the local AWS", "cdk bootstrap", "cdk synth", "cdk deploy", "upload the model")
STEPS = ("PrepareData", "FineTune", "EvaluateModels", "PackageModel", "BatchTransform")
# The demo's recipe, with less of what takes long: the same road, and its gate is passed all the same.
RECIPE = "config/recipes/smollm2-135m-demo.yaml"
SHORTER = {
    "max_steps: 24 ": "max_steps: 6 ",
    "max_rows: 32": "max_rows: 8",
    "generated_rows: 4": "generated_rows: 3",
    "max_new_tokens: 48": "max_new_tokens: 32",
}
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
        # A user has the clone's own `config/`.
        del self._environment["TUNESTACK_CONFIG"]

    def run(self, *command: str) -> str:
        """What a command prints."""
        done = subprocess.run(
            command, cwd=self.folder, env=self._environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        assert done.returncode == 0, done.stdout[-3000:]
        return done.stdout


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clone]:
    clone = Clone(tmp_path_factory.mktemp("first") / "tunestack")
    recipe = clone.folder / RECIPE
    text = recipe.read_text()
    for there, instead in SHORTER.items():
        assert there in text
        text = text.replace(there, instead)
    recipe.write_text(text)
    # The usual port may be another test's.
    clone.run("tunestack", "local", "up", "--port", str(free_port()))
    yield clone
    clone.run("tunestack", "local", "down")


def test_a_fresh_clone_s_demo_and_then_one_s_own_rows(clone: Clone) -> None:
    # GIVEN the demo
    printed = clone.run("python", "-m", "demo")
    assert [phase for phase in PHASES if f"{phase}" not in printed] == []
    assert [step for step in STEPS if f"{step:<15} Executing" not in printed] == []
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
    printed = clone.run("tunestack", "tune", "mine.jsonl", "--questions", "q.jsonl", "--param", "MaxSteps=24")
    # THEN each step is said, and each question has the base's answer and one in the rows' form
    assert [step for step in STEPS if f"{step:<15} Executing" not in printed] == []
    assert "held-out loss" in printed and "Describe a melon." in printed
    answers = clone.run("tunestack", "answers", "--json")
    asked = [item for item in json.loads(answers) if item["of"] == "questions"]
    assert [item["question"] for item in asked] == [item["instruction"] for item in questions]
    assert all("Verdict" in item["tuned"] and "Verdict" not in item["base"] for item in asked)
