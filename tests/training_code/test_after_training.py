"""Fuse, pack, serve and evaluate what a training left, for real, on a tiny model."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from conftest import RECIPE, conversations, write_lines
from tunestack_training import answer_words, evaluate, exam, package
from tunestack_training.base_model import load_base_model
from tunestack_training.failure import JobError
from tunestack_training.fuse import check_agreement, merged
from tunestack_training.options import read_recipe, recipe_from_options
from tunestack_training.recipe import Recipe
from tunestack_training.rows import to_conversation
from tunestack_training.serve import ModelServer


def test_the_fused_model_answers_as_the_adapter_on_its_quantised_base_did(adapter: Path, tiny_model: Path) -> None:
    from peft import PeftModel

    recipe = Recipe.model_validate(read_recipe(adapter))
    tokens = torch.arange(2, 66).reshape(2, 32)
    with torch.inference_mode():
        base = load_base_model(tiny_model, recipe).eval()
        plain = logits(base, tokens)
        tuned = logits(PeftModel.from_pretrained(base, adapter).eval(), tokens)
        fused = logits(merged(load_base_model(tiny_model, recipe), adapter, recipe), tokens)
    # A GPU computes the quantised base in bfloat16, the fused model in float32.
    assert (tuned - fused).abs().max() < (0.1 if torch.cuda.is_available() else 1e-3)
    assert (tuned - plain).abs().max() > 1e-2


def logits(model: Any, tokens: torch.Tensor) -> torch.Tensor:
    return model(tokens.to(model.device)).logits.float().cpu()


def test_weights_that_lost_the_adapter_are_not_packed(
    adapter: Path, tiny_model: Path, ml: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tunestack_training import fuse

    shutil.copytree(adapter, ml / "processing" / "input" / "adapter")
    shutil.copytree(tiny_model, ml / "processing" / "input" / "base-model")
    # A merge that does nothing: PEFT changed under us, or a layer that it doesn't know.
    monkeypatch.setattr(fuse, "merged", lambda model, *_: model.dequantize())
    with pytest.raises(JobError, match="the fused weights don't answer as base and adapter did"):
        package.run({"package.fuse": "true"})
    assert not (ml / "processing" / "output" / "model" / "model.tar.gz").exists()


@pytest.mark.parametrize(
    "apart", [{"from_adapter": float("nan"), "from_base": 1.0}, {"from_adapter": 0.1, "from_base": 1.0}]
)
def test_what_is_apart_or_unknown_does_not_agree(apart: dict[str, float]) -> None:
    with pytest.raises(JobError, match="don't answer as base and adapter did"):
        check_agreement(apart)
    check_agreement({"from_adapter": 0.04, "from_base": 1.0})


@pytest.mark.parametrize("fuse", ["true", "false"])
def test_the_packed_archive_is_served_with_an_answer_per_line(
    fuse: str, adapter: Path, tiny_model: Path, ml: Path, tmp_path: Path
) -> None:
    # GIVEN the archive that PackageModel makes
    shutil.copytree(adapter, ml / "processing" / "input" / "adapter")
    shutil.copytree(tiny_model, ml / "processing" / "input" / "base-model")
    package.run({"package.fuse": fuse, "inference.max_new_tokens": "4"})
    shutil.unpack_archive(ml / "processing" / "output" / "model" / "model.tar.gz", tmp_path / "served")
    # WHEN good and bad lines are asked
    server = ModelServer(tmp_path / "served")
    lines = [
        b'{"instruction": "what does the function do"}',
        b"{broken",
        b'{"messages": [{"role": "user", "content": "list names"}]}',
        b'{"question": 1}',
        b'{"instruction": "what does the function do"}',
    ]
    answers = server.answer_lines(lines)
    # THEN each has its answer, in order
    assert [min(item.keys() - {"cut_off"}) for item in answers] == [
        "response",
        "error",
        "response",
        "error",
        "response",
    ]
    assert answers[0] == answers[4]


def test_what_is_longer_than_the_model_takes_ends_no_evaluation(adapter: Path, tiny_model: Path, ml: Path) -> None:
    inputs = ml / "processing" / "input"
    shutil.copytree(adapter, inputs / "adapter")
    shutil.copytree(tiny_model, inputs / "base-model")
    long = "word " * 5000
    told = [{"role": "user", "content": "q"}, {"role": "assistant", "content": long}]
    (row, reason) = to_conversation({"messages": told})
    assert row and reason is None
    write_lines(inputs / "test" / "rows.jsonl", [row])
    write_lines(inputs / "general" / "rows.jsonl", conversations(2))
    write_lines(inputs / "questions" / "a" / "q.jsonl", [{"instruction": long}, {"instruction": "short"}])
    evaluate.run({"evaluation.generated_rows": "2", "evaluation.max_new_tokens": "3"})
    kept = (ml / "processing" / "output" / "evaluation" / "answers.jsonl").read_text().splitlines()
    asked = [json.loads(line) for line in kept if '"questions"' in line]
    assert [(item["file"], item["line"]) for item in asked] == [("a/q.jsonl", 2)]


def test_evaluation_writes_scores_of_both_models_and_a_message_for_the_gate(
    adapter: Path, tiny_model: Path, ml: Path
) -> None:
    inputs = ml / "processing" / "input"
    shutil.copytree(adapter, inputs / "adapter")
    shutil.copytree(tiny_model, inputs / "base-model")
    write_lines(inputs / "test" / "rows.jsonl", conversations(6))
    write_lines(inputs / "general" / "rows.jsonl", conversations(2))
    write_lines(inputs / "questions" / "mine.jsonl", [{"instruction": "one"}, {"nothing": 1}, {"instruction": "three"}])
    evaluate.run({"evaluation.generated_rows": "2", "evaluation.max_new_tokens": "3"})
    # What both models answer is kept beside the scores: held-out rows, and the first of the user's questions.
    kept = (ml / "processing" / "output" / "evaluation" / "answers.jsonl").read_text().splitlines()
    examples = [json.loads(line) for line in kept]
    assert [item["set"] for item in examples] == ["heldout", "heldout", "questions"]
    assert all(isinstance(item[version], str) for item in examples for version in ("base", "tuned"))
    assert examples[2]["question"] == [{"role": "user", "content": "one"}] and examples[2]["line"] == 1
    result = json.loads((ml / "processing" / "output" / "evaluation" / "evaluation.json").read_text())
    heldout = result["heldout"]
    assert heldout["rows"] == 6 and heldout["undecided"]
    assert heldout["tuned"]["loss"] < heldout["base"]["loss"]
    assert heldout["loss_ratio"] == pytest.approx(heldout["tuned"]["loss"] / heldout["base"]["loss"], abs=1e-5)
    # How many answers are right, of how many; without any, all are wrong.
    assert (heldout["answered"], heldout["compared_by"]) == (2, "contains")
    assert heldout["error_rate"] == 1 - heldout["tuned"]["answer_score"] and 0 < heldout["commonest_answer"] <= 1
    message = (ml / "output" / "message").read_text()
    assert f"right {heldout['tuned']['right']} of 2 base {heldout['base']['right']}" in message
    assert f"heldout.loss_ratio {heldout['loss_ratio']:.4f}" in message and len(message) <= 256
    assert message.endswith("gate undecided: heldout.loss_ratio on 6 rows where 20 say enough")
    assert result["gate"]["verdict"] == "undecided"
    low, high = heldout["loss_ratio_interval"]
    assert low <= heldout["loss_ratio"] <= high
    # What a value of CustomerMetadataProperties may hold: the registry refuses the model otherwise.
    assert re.fullmatch(r"[\w\s.:/=+\-@]*", message)


@pytest.mark.parametrize(
    ("answered", "wanted", "held"),
    [
        ("I do not know", "no", False), ("No.", "no", True), ("the answer is 42!", "42", True), ("142", "42", False),
        ("fine :-)", ":-)", True), ("fine", ":-)", False), ("Return a LIST", "return a list", True),
    ],
)  # fmt: skip
def test_an_answer_is_right_word_by_word(answered: str, wanted: str, held: bool) -> None:
    assert answer_words.holds(answered, wanted) is held


def test_the_rows_that_are_evaluated_are_chosen_by_the_seed() -> None:
    def chosen(**changed: str) -> list[Any]:
        items: list[Any] = list(range(100))
        return exam.sample(items, recipe_from_options({**RECIPE, "evaluation.max_rows": "10", **changed}))

    assert chosen() == chosen() != list(range(10))
    assert chosen() != chosen(**{"training.seed": "7"})
