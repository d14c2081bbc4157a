"""Conversations with several answers, rows that are too long, questions with several answers, and many rows."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import prepared, rows, write_lines
from tunestack_training import prepare
from tunestack_training.failure import JobError
from tunestack_training.positions import check_length
from tunestack_training.recipe import Data
from tunestack_training.rows import read_row
from tunestack_training.store import RowStore, StoredRow, place_of

TURNS = [
    {"role": "user", "content": "one"},
    {"role": "assistant", "content": "first"},
    {"role": "user", "content": "two"},
    {"role": "assistant", "content": "second"},
]


def report_of(ml: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ml / "processing" / "output" / "report" / "report.json").read_text())
    return found


def test_each_answer_of_a_conversation_is_a_row_where_the_recipe_says_so() -> None:
    reading = read_row({"messages": TURNS}, all_turns=True)
    assert [row["completion"][0]["content"] for row in reading.rows] == ["first", "second"]
    assert [row["prompt"] for row in reading.rows] == [TURNS[:1], TURNS[:3]]
    assert reading.untrained_answers == 0
    assert read_row({"messages": TURNS}).rows == reading.rows[1:]


def test_an_answer_of_weight_0_is_context_there_too() -> None:
    turns = [TURNS[0], {**TURNS[1], "weight": 0}, *TURNS[2:]]
    reading = read_row({"messages": turns}, all_turns=True)
    assert [row["completion"][0]["content"] for row in reading.rows] == ["second"]
    assert reading.untrained_answers == 1


def test_all_answers_of_a_conversation_are_on_one_side_of_a_split(ml: Path, tiny_model: Path) -> None:
    chats = [{"messages": [{**TURNS[0], "content": f"chat {n}"}, *TURNS[1:]]} for n in range(40)]
    write_lines(ml / "processing" / "input" / "data" / "a.jsonl", chats)
    out = prepared(ml, tiny_model, **{"data.assistant_turns": "all"})
    sides = {name: {row["prompt"][0]["content"] for row in out[name]} for name in ("train", "validation", "test")}
    assert sum(len(out[name]) for name in sides) == 80
    assert not sides["train"] & sides["test"] and not sides["train"] & sides["validation"]
    assert report_of(ml)["questions_with_several_answers"] == 0


@pytest.mark.parametrize("choice", ["truncate", "drop", "fail"])
def test_what_becomes_of_long_rows_is_chosen_and_counted(choice: str, ml: Path, tiny_model: Path) -> None:
    long = {"instruction": "what", "response": "a list of names " * 30}
    write_lines(ml / "processing" / "input" / "data" / "a.jsonl", [*rows(40), long])
    options = {"data.long_rows": choice, "training.max_length": "64", "training.seed": "1"}
    if choice == "fail":
        with pytest.raises(JobError, match=r"a\.jsonl, line 41: has \d+ tokens, more than training.max_length 64"):
            prepared(ml, tiny_model, **options)
        return
    out = prepared(ml, tiny_model, **options)
    kept = sum(len(out[name]) for name in ("train", "validation", "test"))
    report = report_of(ml)
    dropped = int(choice == "drop")
    assert (kept, report["dropped_for_length"], report["rejected"]) == (41 - dropped, dropped, 0)
    assert report["train_tokens"]["rows_longer_than_max_length"] == 1 - dropped


def test_a_question_that_leaves_no_room_names_the_key_that_helps(ml: Path, tiny_model: Path) -> None:
    write_lines(ml / "processing" / "input" / "data" / "a.jsonl", rows(20))
    with pytest.raises(JobError, match="training.max_length 8 would cut the whole answer off: raise it"):
        prepared(ml, tiny_model, **{"training.max_length": "8"})


def test_more_tokens_than_the_model_has_positions_for_are_refused(ml: Path, tiny_model: Path) -> None:
    write_lines(ml / "processing" / "input" / "data" / "a.jsonl", rows(20))
    with pytest.raises(JobError, match="training.max_length 1025 is more than the model has positions for: 1024"):
        prepared(ml, tiny_model, **{"training.max_length": "1025"})
    check_length({"text_config": {"max_position_embeddings": 600}, "max_position_embeddings": 20}, 513)
    check_length({}, 10**6)


def test_reasons_that_differ_by_a_number_are_one(ml: Path, tiny_model: Path) -> None:
    bad = [{"messages": [*TURNS[:n], {"role": "narrator", "content": "x"}]} for n in (0, 2, 4)]
    write_lines(ml / "processing" / "input" / "data" / "a.jsonl", [*rows(60), *bad])
    prepared(ml, tiny_model)
    assert report_of(ml)["reasons"] == {"messages[…]: role must be one of system, user, assistant or tool": 3}


def test_questions_with_several_answers_are_counted(ml: Path, tiny_model: Path) -> None:
    write_lines(ml / "processing" / "input" / "data" / "a.jsonl", [*rows(30), {**rows(1)[0], "response": "no"}])
    prepared(ml, tiny_model)
    assert report_of(ml)["questions_with_several_answers"] == 1


def stored(count: int) -> list[StoredRow]:
    return [
        StoredRow(
            {"prompt": [{"role": "user", "content": str(n)}], "completion": []}, place_of(1, [{"n": n}]), n + 1, 1
        )
        for n in range(count)
    ]


def test_as_many_rows_are_kept_as_the_recipe_says_and_always_the_same() -> None:
    kept = []
    for order in (1, -1):
        with RowStore() as store:
            store.add(stored(100)[::order])
            store.keep(30, seed=5)
            kept.append({line for _, line in store.lines()})
    assert kept[0] == kept[1] and len(kept[0]) == 30


def test_sizes_in_tokens_are_those_of_the_rows_to_train_on() -> None:
    with RowStore() as store:
        store.add(stored(100))
        splits = store.splits(Data(name="x", test_fraction=0.2, validation_fraction=0.2))
        trained = sorted(item.tokens for item in stored(100) if splits.of(item.place) == "train")
        found = store.token_counts(splits, limit=50)
    assert found["total"] == sum(trained) and found["rows_longer_than_max_length"] == sum(n > 50 for n in trained)
    assert (found["min"], found["max"], found["p95"]) == (
        trained[0],
        trained[-1],
        trained[int(0.95 * (len(trained) - 1))],
    )


@pytest.mark.parametrize("form", ["jsonl", "json"])
def test_memory_does_not_grow_with_the_rows(form: str, tmp_path: Path) -> None:
    """Reading, checking and splitting, without the libraries of training, which take more than all of it."""
    code = (
        "import re, sys\nfrom itertools import islice\nfrom pathlib import Path\n"
        "from tunestack_training.rows import read_row, read_rows\n"
        "from tunestack_training.store import RowStore, StoredRow, place_of\n"
        "with RowStore() as store:\n"
        "    rows = read_rows(Path(sys.argv[1]))\n"
        "    while batch := list(islice(rows, 256)):\n"
        "        made = [read_row(item.value).row for item in batch]\n"
        "        store.add(StoredRow(row, place_of(1, row['prompt'])) for row in made)\n"
        "print(re.search(r'VmHWM:\\s+(\\d+)', Path('/proc/self/status').read_text())[1])\n"
    )
    peaks = []
    for count in (2_000, 40_000):
        file = tmp_path / f"{count}.{form}"
        items = [json.dumps({"instruction": f"{n} " + "x" * 500, "response": "y" * 500}) for n in range(count)]
        file.write_text("[" + ",\n".join(items) + "]" if form == "json" else "\n".join(items))
        done = subprocess.run(
            [sys.executable, "-c", code, str(file)], capture_output=True, text=True, check=True,
            env={"PYTHONPATH": str(Path(prepare.__file__).parents[1])},
        )  # fmt: skip
        peaks.append(int(done.stdout) / 1024)
    # 40 MB more to read.
    assert peaks[1] - peaks[0] < 24
