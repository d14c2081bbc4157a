"""What is trained of a row, proven before it is paid for: all of its texts, and an answer that comes to an end."""

import json
from collections.abc import Iterator, Set
from typing import Any

from tunestack_training.encoding import Encoded
from tunestack_training.rows import Row

_TEXTS = {"reasoning_content": "reasoning", "content": "text"}


def unlabelled(made: Encoded, row: Row, stops: Set[int], *, answers_before_too: bool = True) -> str | None:
    """Why a row can't be trained as what it is, or None; `made` is what its model's template makes of it.

    Every text of it must stand there; of the answer there must be something, and behind it one of `stops`, which
    generation ends at (`tokenizer.stop_ids`). Answers before the last may be shortened where each has a row of its own:
    templates leave out the reasoning of earlier turns, in training as in use.
    """
    if made.answer == len(made.tokens):
        return "the model's chat template leaves nothing of its answer: upload the model with one that has it"
    if left_out := _left_out(row, made.text, answers_before_too) or left_out_of_tools(row, made.text):
        return (
            f"the model's chat template leaves out a part of the {left_out}: upload the model with one that keeps it, "
            "or leave it out of the rows"
        )
    if stops.isdisjoint(made.tokens[made.answer :]):
        return (
            "the model's chat template ends no answer with a token that generation stops at: upload the model with one "
            "that does"
        )
    return None


def _left_out(row: Row, rendered: str, answers_before_too: bool) -> str | None:
    """Whose text doesn't stand in what was rendered, each behind the one before it: an answer may repeat its question.

    A system's message may stand anywhere: some templates put it into a user's.
    """
    position = 0
    before = [item for item in row["prompt"] if answers_before_too or item["role"] != "assistant"]
    for message in [*before, *row["completion"]]:
        for key, name in _TEXTS.items():
            text = str(message.get(key, "")).strip()
            is_system = message["role"] == "system"
            found = rendered.find(text, 0 if is_system else position)
            if found < 0:
                return f"{message['role']}'s {name}"
            position = position if is_system else found + len(text)
    return None


def left_out_of_tools(row: Row, rendered: str) -> str | None:
    """What of a row's tools and calls doesn't stand in what was rendered: a name, an argument, its value."""
    for tool in row.get("tools", ()):
        if tool["function"]["name"] not in rendered:
            return "tools: it has no place for them"
    for message in [*row["prompt"], *row["completion"]]:
        for call in message.get("tool_calls", ()):
            function = call["function"]
            texts = [function["name"], *_leaves(function["arguments"])]
            if not all(any(form in rendered for form in _forms(text)) for text in texts):
                return "calls of tools"
    return None


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield str(key)
            yield from _leaves(item)
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item)
    elif isinstance(value, str | int) and not isinstance(value, bool):
        yield str(value)


def _forms(text: str) -> set[str]:
    """A text as it is, and as JSON has it with and without letters beyond ASCII."""
    return {text, json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]}
