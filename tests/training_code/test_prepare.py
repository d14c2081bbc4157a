"""Prepare: every form of row, every reason to reject one, and files that can't be read."""

import csv
import json
import shutil
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest
from conftest import RECIPE, prepared, rows, write_lines
from tunestack_training import chat_template, prepare
from tunestack_training.failure import JobError
from tunestack_training.rows import read_rows, to_conversation
from tunestack_training.tokenizer import PLAIN_CHAT_TEMPLATE


def test_rows_are_split_without_a_prompt_on_two_sides_and_duplicates_dropped(ml: Path, tiny_model: Path) -> None:
    data = rows(60) + rows(10) + [{"instruction": "what does function 1 do", "response": "another answer"}]
    write_lines(ml / "processing" / "input" / "data" / "a.jsonl", data)
    out = prepared(ml, tiny_model)
    prompts = {name: {row["prompt"][0]["content"] for row in out[name]} for name in ("train", "validation", "test")}
    assert sum(len(out[name]) for name in prompts) == 61
    assert not prompts["train"] & prompts["test"] and not prompts["train"] & prompts["validation"]
    report = json.loads((ml / "processing" / "output" / "report" / "report.json").read_text())
    assert report["duplicates"] == 10
    assert report["train_tokens"]["min"] > 5


def test_a_split_stays_when_data_is_added(ml: Path, tiny_model: Path) -> None:
    write_lines(ml / "processing" / "input" / "data" / "a.jsonl", rows(60))
    first = prepared(ml, tiny_model)
    write_lines(ml / "processing" / "input" / "data" / "b.jsonl", [{"instruction": "new", "response": "more"}])
    second = prepared(ml, tiny_model)
    assert {json.dumps(row) for row in first["test"]} <= {json.dumps(row) for row in second["test"]}


def test_rejected_rows_are_kept_with_their_reason(ml: Path, tiny_model: Path) -> None:
    bad = [
        {"instruction": "", "response": "x"},
        {"question": "x", "text": "y"},
        ["x"],
        {"messages": [{"role": "narrator", "content": "x"}]},
    ]
    write_lines(ml / "processing" / "input" / "data" / "a.jsonl", [*rows(60), *bad])
    out = prepared(ml, tiny_model, **{"data.max_rejected_fraction": "0.1"})
    assert [item["line"] for item in out["rejected"]] == [61, 62, 63, 64]
    reasons = [item["reason"] for item in out["rejected"]]
    assert "'instruction' is empty" in reasons[0]
    assert "'text' is plain text" in reasons[1]
    assert "role must be one of" in reasons[3]


def test_too_many_rejected_rows_fail_the_job_with_the_first_reason(ml: Path, tiny_model: Path) -> None:
    write_lines(ml / "processing" / "input" / "data" / "a.jsonl", [*rows(10), *[{"x": 1}] * 10])
    with pytest.raises(JobError, match=r"10 of 20 rows are rejected \(50%.*a.jsonl, line 11"):
        prepared(ml, tiny_model)


def test_csv_parquet_and_chat_messages_give_the_same_rows(tmp_path: Path) -> None:
    wanted = rows(3)
    with (tmp_path / "a.csv").open("w", newline="") as out:
        writer = csv.DictWriter(out, ["instruction", "response"])
        writer.writeheader()
        writer.writerows(wanted)
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(wanted), tmp_path / "a.parquet")
    chats = [
        {
            "messages": [
                {"role": "user", "content": row["instruction"]},
                {"role": "assistant", "content": row["response"]},
            ]
        }
        for row in wanted
    ]
    write_lines(tmp_path / "a.jsonl", chats)
    read = [
        [to_conversation(row.value)[0] for row in read_rows(tmp_path / f"a.{end}")]
        for end in ("csv", "parquet", "jsonl")
    ]
    assert read[0] == read[1] == read[2]
    assert len(read[0]) == 3


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.jsonl", b"", "a.jsonl is empty"),
        ("a.jsonl", b'{"instruction": "a", "response": "b"}\n{"instruc', "half-written: line 2"),
        ("a.jsonl", '{"instruction": "é"}'.encode("latin-1"), "not UTF-8"),
        ("a.parquet", b"PAR1 and nothing", "not Parquet, or half-written"),
        ("a.csv", b"instruction,instruction,response\n1,2,3\n", "names a column twice"),
        ("a.txt", b"hello", "ends in .jsonl, .ndjson, .jsonlines, .json, .csv, .*give each text as a line"),
        ("a.csv", b'instruction,response\n"a,b', "not CSV, or half-written"),
    ],
)
def test_a_file_that_cannot_be_read_fails_with_its_name(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(JobError, match=message):
        list(read_rows(tmp_path / name))


def test_no_data_at_all_says_how_to_add_some(ml: Path, tiny_model: Path) -> None:
    (ml / "processing" / "input" / "data").mkdir(parents=True)
    with pytest.raises(JobError, match="tunestack data add"):
        prepared(ml, tiny_model)


STRICT = "{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"


def test_a_row_that_the_model_s_template_refuses_is_rejected_with_its_reason(ml: Path, tiny_model: Path) -> None:
    settings = ml / "processing" / "input" / "base-model" / "tokenizer_config.json"
    shutil.copytree(tiny_model, settings.parent)
    strict = json.loads(settings.read_text()) | {"chat_template": STRICT + PLAIN_CHAT_TEMPLATE}
    settings.write_text(json.dumps(strict))
    told = [{"role": role, "content": role} for role in ("system", "user", "assistant")]
    data = [*rows(60), {"messages": told}]
    write_lines(ml / "processing" / "input" / "data" / "a.jsonl", data)
    prepare.run({**RECIPE, "data.test_fraction": "0.2", "data.validation_fraction": "0.2"})
    rejected = json.loads((ml / "processing" / "output" / "rejected" / "rows.jsonl").read_text())
    assert rejected["line"] == 61
    assert rejected["reason"] == "the model's chat template refuses it: System role not supported"


def test_the_user_s_general_set_is_found_beside_its_data_and_there_is_one(ml: Path, tiny_model: Path) -> None:
    data = ml / "processing" / "input" / "data"
    write_lines(data / "0a1b" / "a.jsonl", rows(60))
    write_lines(data / "0a1b" / "general.jsonl", [{"instruction": "mine", "response": "own"}])
    assert [row["prompt"][0]["content"] for row in prepared(ml, tiny_model)["general"]] == ["mine"]
    write_lines(data / "2c3d" / "general.jsonl", [{"instruction": "other", "response": "own"}])
    with pytest.raises(JobError, match="2 files are called general.jsonl"):
        prepared(ml, tiny_model)


@pytest.mark.parametrize("given", [{"a": 1}, [1], 5])
def test_an_input_that_is_no_text_is_not_dropped_in_silence(given: object) -> None:
    row, reason = to_conversation({"instruction": "a", "input": given, "response": "b"})
    assert row is None and reason == f"'input' must be text, got {type(given).__name__}"


def test_what_is_no_json_lines_isn_t_called_half_written(tmp_path: Path) -> None:
    pretty = tmp_path / "a.jsonl"
    pretty.write_text("instruction: a\nresponse: b\n")
    assert all(row.problem and row.problem.startswith("not JSON: ") for row in read_rows(pretty))


def test_a_long_field_of_csv_is_as_long_as_one_of_json_lines_may_be(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text(f"instruction,response\na,{'b' * 200_000}\n")
    (row,) = read_rows(file)
    assert row.problem is None


@pytest.mark.parametrize(
    "roles", [("assistant", "assistant"), ("system", "assistant"), ("user", "system", "assistant")]
)
def test_an_answer_answers_a_user(roles: tuple[str, ...]) -> None:
    row, reason = to_conversation({"messages": [{"role": role, "content": "a"} for role in roles]})
    assert row is None and reason == "the last message must be the assistant's, after a user's"


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{% for m in messages if m.role == 'user' %}{{ m.content }}{% endfor %}", "leaves nothing of its answer"),
        ("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}", "runs for more than"),
        ("{{ messages[0].content * 99999 }}", "characters of a conversation of"),
    ],
)
def test_a_template_that_nothing_could_be_trained_with_fails_the_job_at_once(
    template: str, message: str, ml: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chat_template, "MAX_SECONDS", 0.2)
    write_lines(ml / "processing" / "input" / "data" / "a.jsonl", rows(60))
    shutil.copytree(tiny_model, ml / "processing" / "input" / "base-model")
    (ml / "processing" / "input" / "base-model" / "chat_template.jinja").write_text(template)
    with pytest.raises(JobError, match=message):
        prepare.run(RECIPE)


def test_what_is_trained_is_counted_in_tokens(ml: Path, tiny_model: Path) -> None:
    write_lines(ml / "processing" / "input" / "data" / "a.jsonl", rows(60))
    prepared(ml, tiny_model)
    tokens = json.loads((ml / "processing" / "output" / "report" / "report.json").read_text())["train_tokens"]
    assert 0 < tokens["of_answers"] < tokens["total"]
