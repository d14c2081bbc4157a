"""Tools and calls of them: read in the forms that people have, rendered as TRL does, trained, or refused by name."""

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import RECIPE
from test_encoding import TEMPLATES
from tunestack_training import evaluate, store
from tunestack_training.asking import Asking
from tunestack_training.collect import Judge
from tunestack_training.encoding import Encoder
from tunestack_training.options import recipe_from_options
from tunestack_training.rows import Row, read_row
from tunestack_training.source_row import SourceRow
from tunestack_training.tokenizer import load_tokenizer
from tunestack_training.tokens_file import write_tokens

ASKED, SAID = {"role": "user", "content": "what is two"}, {"role": "assistant", "content": "it is one"}
CALL = {"type": "function", "function": {"name": "look", "arguments": {"what": "names", "depth": 2}}}
CALLS = {"role": "assistant", "content": "", "tool_calls": [CALL]}
TOLD = {"role": "tool", "content": "two of files"}
TOOL = {"type": "function", "function": {"name": "look", "description": "of files", "parameters": {"type": "object"}}}
ROW: Row = {"prompt": [ASKED, CALLS, TOLD], "completion": [SAID], "tools": [TOOL]}
AS_TEXT = {"id": "call_1", "function": {"name": "look", "arguments": '{"what": "names", "depth": 2}'}}
# The families of TRL's templates that render tools, and the marks that they need.
FAMILIES = {
    "qwen2_5": ("<|im_start|>", "<|im_end|>"),
    "qwen3": ("<|im_start|>", "<|im_end|>"),
    "lfm2": ("<|im_start|>", "<|im_end|>"),
}


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({"messages": [ASKED, CALLS, TOLD, SAID], "tools": [TOOL]}, ROW),
        ({"messages": [ASKED, CALLS, TOLD, SAID], "tools": json.dumps([TOOL])}, ROW),
        ({"messages": [ASKED, CALLS, TOLD, SAID], "functions": [TOOL["function"]]}, ROW),
        ({"messages": [ASKED, {**CALLS, "content": None}, TOLD, SAID], "tools": [TOOL]}, ROW),
        (
            {"messages": [ASKED, {**CALLS, "tool_calls": [AS_TEXT]}, {**TOLD, "tool_call_id": "call_1"}, SAID]},
            {
                "prompt": [ASKED, {**CALLS, "tool_calls": [{**CALL, "id": "call_1"}]}, {**TOLD, "tool_call_id": "call_1"}],
                "completion": [SAID],
            },
        ),
        (
            {"messages": [ASKED, {"role": "assistant", "content": "", "function_call": CALL["function"]}, {**TOLD, "role": "function"}, SAID]},
            {"prompt": [ASKED, CALLS, TOLD], "completion": [SAID]},
        ),
        (
            {
                "conversations": [
                    {"from": "human", "value": "what is two"}, {"from": "function_call", "value": json.dumps(CALL["function"])},
                    {"from": "observation", "value": "two of files"}, {"from": "gpt", "value": "it is one"},
                ],
                "tools": json.dumps([TOOL["function"]]),
            },
            ROW,
        ),
        ({"messages": [ASKED, CALLS], "tools": [TOOL]}, {"prompt": [ASKED], "completion": [CALLS], "tools": [TOOL]}),
        ({"instruction": "what is two", "response": "it is one", "tools": [TOOL]}, {"prompt": [ASKED], "completion": [SAID], "tools": [TOOL]}),
    ],
)  # fmt: skip
def test_calls_are_read_in_the_forms_that_people_have(given: dict[str, Any], wanted: Row) -> None:
    reading = read_row(given)
    assert (reading.row, reading.problem) == (wanted, None)


def test_each_call_and_each_answer_is_trained_where_the_recipe_says_all_turns() -> None:
    reading = read_row({"messages": [ASKED, CALLS, TOLD, SAID], "tools": [TOOL]}, all_turns=True)
    assert [row["completion"] for row in reading.rows] == [[CALLS], [SAID]]


@pytest.fixture
def tokenizer(tiny_model: Path, family: str) -> Any:
    made = load_tokenizer(tiny_model)
    made.add_special_tokens({"additional_special_tokens": list(FAMILIES[family])})
    made.chat_template = TEMPLATES.joinpath(f"{family}.jinja").read_text(encoding="utf-8")
    return made


@pytest.mark.parametrize("family", FAMILIES)
def test_tokens_and_the_beginning_of_the_answer_are_those_of_trl(family: str, tokenizer: Any) -> None:
    from trl.data_utils import _tokenize, common_prefix_length

    for row in (ROW, {**ROW, "prompt": [ASKED], "completion": [CALLS]}, {"prompt": [ASKED], "completion": [SAID]}):
        tools = row.get("tools")
        question = _tokenize(tokenizer, row["prompt"], add_generation_prompt=True, tools=tools)["input_ids"]
        tokens = _tokenize(tokenizer, row["prompt"] + row["completion"], tools=tools)["input_ids"]
        made = Encoder(tokenizer).one(row["prompt"], row["completion"], tools)
        assert (made.tokens, made.answer) == (tokens, common_prefix_length(question, tokens))


@pytest.mark.parametrize("family", ["qwen2_5"])
def test_rows_with_and_without_tools_are_proven_and_written_as_they_are(
    family: str, tokenizer: Any, tmp_path: Path
) -> None:
    from datasets import Dataset

    other = {"type": "function", "function": {"name": "list", "arguments": {"of": ["a", None], "more": {"x": True}}}}
    values = [
        {"messages": [ASKED, CALLS], "tools": [TOOL]},
        {"messages": [ASKED, {**CALLS, "tool_calls": [other]}], "tools": [{"name": "list"}, TOOL]},
        {"instruction": "what is two", "response": "it is one"},
    ]
    judge = Judge(tokenizer, recipe_from_options(RECIPE))
    judged = [*judge.all(SourceRow("a.jsonl", number, value) for number, value in enumerate(values))]
    assert [item.problem for item in judged] == [None] * 3
    rows = [item.row or {} for item in judged]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    written = Dataset.from_file(str(write_tokens(tmp_path / "rows.jsonl", tokenizer, tmp_path / "rows.arrow")))
    texts = [tokenizer.decode(item["input_ids"]) for item in written]
    # Nothing of one call is in another.
    assert '"depth": 2' in texts[0] and "null" not in texts[0] and '"of"' not in texts[0]
    assert '{"of": ["a", null], "more": {"x": true}}' in texts[1] and "depth" not in texts[1].split("assistant")[-1]
    assert [sum(item["completion_mask"]) for item in written] == [item.of_answer for item in judged]


@pytest.mark.parametrize("family", ["qwen2_5"])
def test_what_is_wanted_of_a_call_is_what_the_model_would_write(
    family: str, tokenizer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluate, "stops_of", lambda *_: {tokenizer.convert_tokens_to_ids("<|im_end|>")})
    row = {"prompt": [ASKED], "completion": [CALLS], "tools": [TOOL]}
    wanted = evaluate._wanted(None, tokenizer, row)
    assert json.loads(wanted.replace("<tool_call>", "").replace("</tool_call>", "")) == CALL["function"]


def test_a_template_without_a_place_for_tools_refuses_them_by_name(tiny_model: Path) -> None:
    from types import SimpleNamespace

    tokenizer = load_tokenizer(tiny_model)
    judge = Judge(tokenizer, recipe_from_options(RECIPE))
    given = [{"messages": [ASKED, SAID], "tools": [TOOL]}, {"messages": [ASKED, CALLS]}]
    tools, calls = judge.all(SourceRow("a.jsonl", number, value) for number, value in enumerate(given))
    assert "leaves out a part of the tools: it has no place for them" in str(tools.problem)
    assert "leaves" in str(calls.problem)
    text_config = SimpleNamespace(max_position_embeddings=512)
    asking = Asking(tokenizer, SimpleNamespace(get_text_config=lambda: text_config), max_new_tokens=4)
    with pytest.raises(ValueError, match="leaves out a part of the tools"):
        asking.question(json.dumps({"messages": [ASKED], "tools": [TOOL]}).encode())


def test_rows_that_differ_by_their_tools_alone_contradict_nothing() -> None:
    with store.RowStore() as rows:
        for name in ("look", "list"):
            tool = {"type": "function", "function": {"name": name}}
            rows.add(
                [store.StoredRow({"prompt": [ASKED], "completion": [{**SAID, "content": name}], "tools": [tool]}, 0.5)]
            )
        assert rows.contradictions() == 0 and len(rows) == 2
