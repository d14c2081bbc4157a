"""What is trained of a row, by its model's template: all of its texts, and an answer that ends where generation does."""

from pathlib import Path
from typing import Any

import pytest
from tunestack_training.encoding import Encoded, Encoder
from tunestack_training.labels import unlabelled
from tunestack_training.rows import Row, read_row
from tunestack_training.tokenizer import load_tokenizer, reserved_tokens, stop_ids

ROW: Row = {
    "prompt": [{"role": "user", "content": "what is one"}],
    "completion": [{"role": "assistant", "content": "it is one"}],
}
END = "<|end|>"
PLAIN = "{% for m in messages %}<|{{ m['role'] }}|>{{ m['content'] }}<|end|>\n{% endfor %}"
ASK = "{% if add_generation_prompt %}<|assistant|>{% endif %}"
# How families' templates treat an answer: whether it is trained whole, and why not.
TEMPLATES: dict[str, tuple[str, str | None]] = {
    "ChatML": (PLAIN + ASK, None),
    "content in trimmed form": (PLAIN.replace("m['content']", "m['content'] | trim") + ASK, None),
    "the end of the text itself": (PLAIN.replace("<|end|>", "{{ eos_token }}") + ASK, None),
    "reasoning cut off": (
        PLAIN.replace("m['content']", "m['content'].split('</think>')[-1]") + ASK, "leaves out a part of the assistant's text",
    ),
    "no end": (PLAIN.replace("<|end|>", "") + ASK, "ends no answer with a token that generation stops at"),
    "no answer": (PLAIN.replace("{% for m in messages %}", "{% for m in messages if m['role'] != 'assistant' %}") + ASK, "leaves nothing of its answer"),
    "no system": (PLAIN.replace("{% for m in messages %}", "{% for m in messages if m['role'] != 'system' %}") + ASK, "leaves out a part of the system's text"),
}  # fmt: skip
THOUGHT: Row = {
    "prompt": [{"role": "system", "content": "be terse"}, *ROW["prompt"]],
    "completion": [{"role": "assistant", "content": "<think>\nlook\n</think>\n\nit is one"}],
}


def made_of(row: Row, tokenizer: Any) -> Encoded:
    return Encoder(tokenizer).one(row["prompt"], row["completion"])


def why(row: Row, tokenizer: Any) -> str | None:
    return unlabelled(made_of(row, tokenizer), row, stop_ids(tokenizer))


@pytest.fixture
def tokenizer(tiny_model: Path) -> Any:
    """One whose own end of text isn't the end of a turn in its template, and which has a token for file names."""
    made = load_tokenizer(tiny_model)
    made.add_special_tokens(
        {"additional_special_tokens": ["<|user|>", "<|assistant|>", "<|system|>", END, "<filename>"]}
    )
    made.chat_template = PLAIN + ASK
    return made


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_text_of_a_row_is_in_what_is_trained_or_the_row_is_refused(name: str, tokenizer: Any) -> None:
    template, reason = TEMPLATES[name]
    tokenizer.chat_template = template
    found = why(THOUGHT, tokenizer)
    assert (found is None) if reason is None else reason in str(found)


def test_an_answer_begins_where_it_begins_and_ends_where_generation_stops(tokenizer: Any) -> None:
    assert tokenizer.eos_token != END
    made = made_of(ROW, tokenizer)
    trained = tokenizer.decode(made.tokens[made.answer :])
    assert trained.replace(" ", "") == f"itisone{END}".replace(" ", "") + "\n" or trained.strip().endswith(END)
    assert "one" in trained and "what" not in trained and "assistant" not in trained
    assert stop_ids(tokenizer) == {tokenizer.eos_token_id, tokenizer.convert_tokens_to_ids(END)}


def test_reasoning_is_trained_where_the_template_has_it_and_else_refused(tokenizer: Any) -> None:
    message = {"role": "assistant", "content": "it is one", "reasoning_content": "look at it"}
    row = read_row({"messages": [*ROW["prompt"], message]}).row
    assert row is not None
    assert "leaves out a part of the assistant's reasoning" in str(why(row, tokenizer))
    tokenizer.chat_template = PLAIN.replace("m['content']", "m.get('reasoning_content', '') + m['content']") + ASK
    assert why(row, tokenizer) is None
    made = made_of(row, tokenizer)
    assert "look" in tokenizer.decode(made.tokens[made.answer :])


def test_marks_of_turns_are_reserved_and_other_special_tokens_are_text(tokenizer: Any) -> None:
    reserved = reserved_tokens(tokenizer)
    assert {END, "<|user|>", tokenizer.eos_token} <= {*reserved} and "<filename>" not in reserved
    assert read_row({"instruction": "copy <filename>", "response": "cp <filename> x"}, reserved).row is not None
    assert "a mark of its own" in str(read_row({"instruction": f"x{END}", "response": "y"}, reserved).problem)


def test_an_answer_that_stands_in_its_question_is_no_answer(tokenizer: Any) -> None:
    """A template that keeps an answer's end and drops its text."""
    tokenizer.chat_template = PLAIN.replace("{{ m['content'] }}", "{{ m['content'] if m['role'] == 'user' }}") + ASK
    row = {"prompt": [{"role": "user", "content": "say: it is one"}], "completion": ROW["completion"]}
    reason = "leaves out a part of the assistant's text"
    assert reason in str(why(row, tokenizer))


def test_a_system_s_message_may_stand_in_a_later_turn(tokenizer: Any) -> None:
    """As Mistral's template has it: in the last user's."""
    inside = "(messages[0]['content'] if loop.last and messages[0]['role'] == 'system' else '') + m['content']"
    tokenizer.chat_template = (
        PLAIN.replace("m['content']", inside).replace(
            "{% for m in messages %}", "{% for m in messages if m['role'] != 'system' %}"
        )
        + ASK
    )
    row = {**ROW, "prompt": [{"role": "system", "content": "be terse"}, *ROW["prompt"]]}
    assert why(row, tokenizer) is None
