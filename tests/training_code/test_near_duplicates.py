"""Leaks: rows to train on that ask nearly what a held-out row asks are found, however all questions are put."""

import json
from pathlib import Path
from typing import Any

import pytest
from test_poison_rows import prepared
from tunestack_training.near_duplicates import HeldOutQuestions

STORY = "the old lighthouse keeper walked down to the harbour every morning to look at the boats that had come in"
TASK = "You are a helpful clerk. Read the ticket and say which product it is about, and whether it is urgent. Ticket: "


@pytest.mark.parametrize(
    ("question", "near"),
    [
        (STORY, True),
        (STORY.upper() + "!", True),
        (STORY.replace("every morning", "each morning") + " by night before the storm came over the sea again", False),
        (STORY + " today", True),
        ("a young baker went to the market to sell bread", False),
        ("", False),
    ],
)
def test_what_is_nearly_the_same_is_found(question: str, near: bool) -> None:
    others = [f"question number {number} about the weather in town {number}" for number in range(10)]
    assert HeldOutQuestions([STORY, *others]).has_nearly(question) is near


def test_how_all_questions_are_put_makes_none_of_them_alike() -> None:
    asked = HeldOutQuestions(
        f"{TASK}my {thing} is broken since Monday" for thing in ("phone", "desk", "car", "lamp", "door")
    )
    assert not asked.has_nearly(f"{TASK}my bicycle was stolen from the station on Sunday")
    assert not asked.has_nearly(TASK)
    assert asked.has_nearly(f"{TASK}My phone is broken since Monday.")


def test_scripts_without_spaces_are_compared_by_their_signs() -> None:
    asked = HeldOutQuestions(["今天的天气怎么样我们可以去公园散步吗", "请把这句话翻译成英文"])
    assert asked.has_nearly("今天的天气怎么样?我们可以去公园散步吗?")
    assert not asked.has_nearly("明天的会议改到下午三点开始请大家准时参加")


@pytest.mark.parametrize("choice", ["keep", "drop"])
def test_leaks_are_counted_and_dropped_if_the_recipe_says_so(ml: Path, tiny_model: Path, choice: str) -> None:
    def row(text: str) -> bytes:
        return json.dumps({"instruction": text, "response": "x"}).encode()

    # Each row has a twin that differs by its capitals; which of them are held out, the seed says.
    texts = [f"{number} {STORY} {number * 7} and {number * 11} times over" for number in range(40)]
    lines = [row(text) for text in texts] + [row(text.upper()) for text in texts]
    report: dict[str, Any] = prepared(
        ml, tiny_model, lines, **{"data.near_duplicates": choice, "data.test_fraction": "0.2"}
    )
    held_out, trained = (ml / "processing" / "output" / name / "rows.jsonl" for name in ("test", "train"))
    asked = {json.loads(line)["prompt"][0]["content"].lower() for line in held_out.read_text().splitlines()}
    left = {json.loads(line)["prompt"][0]["content"].lower() for line in trained.read_text().splitlines()}
    assert report["near_duplicates"] > 0
    assert bool(asked & left) is (choice == "keep")
    assert report["rows"]["train"] == len(trained.read_text().splitlines())
