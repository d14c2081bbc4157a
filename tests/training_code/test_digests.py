"""One thing is trained on, judged, packed and served: each job refuses what isn't what the one before it saw."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import conversations, write_lines
from tunestack_training import digests, evaluate, package, serve
from tunestack_training.failure import JobError

SHORT = {"evaluation.generated_rows": "1", "evaluation.max_new_tokens": "3"}


@pytest.fixture
def inputs(adapter: Path, tiny_model: Path, ml: Path) -> Path:
    """What EvaluateModels and PackageModel read."""
    folder = ml / "processing" / "input"
    shutil.copytree(adapter, folder / "adapter")
    shutil.copytree(tiny_model, folder / "base-model")
    for name in ("test", "general"):
        write_lines(folder / name / "rows.jsonl", conversations(2))
    write_lines(folder / "questions" / "mine.jsonl", [{"instruction": "one"}])
    return folder


def judged(ml: Path) -> dict[str, str]:
    evaluate.run(SHORT)
    text = (ml / "processing" / "output" / "evaluation" / "evaluation.json").read_text()
    return dict(json.loads(text)["sha256"])


def test_a_digest_is_of_names_and_content_and_of_nothing_else(tmp_path: Path) -> None:
    for name, text in (("a/one", "1"), ("two", "2")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    first = digests.folder_sha256(tmp_path)
    os.utime(tmp_path / "two", (1, 1))
    (tmp_path / "empty").mkdir()
    assert digests.folder_sha256(tmp_path) == first
    # The two contents in each other's place, and a file more.
    (tmp_path / "two").write_text("1")
    (tmp_path / "a" / "one").write_text("2")
    second = digests.folder_sha256(tmp_path)
    (tmp_path / "three").write_text("")
    assert len({first, second, digests.folder_sha256(tmp_path)}) == 3


def append(folder: str, name: str) -> Callable[[Path], None]:
    def change(inputs: Path) -> None:
        with (inputs / folder / name).open("ab") as file:
            file.write(b" ")

    return change


def another_file(inputs: Path) -> None:
    (inputs / "adapter" / "more.bin").write_bytes(b"x")


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (append("adapter", "README.md"), "adapter"),
        (append("adapter", "adapter_config.json"), "adapter"),
        (another_file, "adapter"),
        (append("base-model", "config.json"), "base model"),
    ],
)
def test_what_was_changed_after_it_was_judged_is_not_packed(
    change: Callable[[Path], None], what: str, inputs: Path, ml: Path
) -> None:
    found = judged(ml)
    change(inputs)
    told = {f"sha256.{name}": found[name] for name in ("adapter", "base_model")}
    with pytest.raises(JobError, match=f"^the {what} isn't what it was .* {found[what.replace(' ', '_')]} is allowed"):
        package.run(told)
    assert not (ml / "processing" / "output" / "model" / "model.tar.gz").exists()


def test_another_base_than_the_one_that_was_trained_on_is_not_judged(inputs: Path) -> None:
    append("base-model", "config.json")(inputs)
    with pytest.raises(JobError, match="^the base model isn't what it was when it was made"):
        evaluate.run(SHORT)


def test_an_adapter_that_says_nothing_of_its_base_is_not_judged(inputs: Path) -> None:
    (inputs / "adapter" / digests.MADE_FROM_FILE).unlink()
    with pytest.raises(JobError, match=r"holds no made_from.json: train it anew"):
        evaluate.run(SHORT)


@pytest.mark.parametrize("folder", ["test", "general", "questions"])
def test_an_exam_that_is_not_accepted_is_not_taken(folder: str, inputs: Path, ml: Path) -> None:
    accepted = f"{'0' * 64},{judged(ml)['exam']}"
    evaluate.run({**SHORT, "sha256.exam": accepted})
    file = next((inputs / folder).iterdir())
    append(folder, file.name)(inputs)
    with pytest.raises(JobError, match=f"^the exam isn't what it was .* {accepted} is allowed"):
        evaluate.run({**SHORT, "sha256.exam": accepted})


def test_what_is_served_is_what_was_packed(inputs: Path, ml: Path, tmp_path: Path) -> None:
    package.run({})
    folder = ml / "processing" / "output" / "model"
    made = json.loads((folder / package.PACKAGE_FILE).read_text())["sha256"]
    assert made["archive"] == digests.file_sha256(folder / "model.tar.gz")
    shutil.unpack_archive(folder / "model.tar.gz", tmp_path / "served")
    serve.check_model(tmp_path / "served", made["model"])
    (tmp_path / "served" / "recipe.json").write_text("{}")
    with pytest.raises(JobError, match="^the model isn't what it was"):
        serve.check_model(tmp_path / "served", made["model"])
