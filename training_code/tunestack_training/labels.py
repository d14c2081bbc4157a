"""What is trained of a row, proven before it is paid for: all of its texts, and an answer that comes to an end."""

from collections.abc import Collection
from typing import Any

from tunestack_training.rows import Row
from tunestack_training.tokenizer import encoded

_TEXTS = {"reasoning_content": "reasoning", "content": "text"}


def unlabelled(row: Row, max_length: int, tokenizer: Any, stops: Collection[int]) -> str | None:
    """Why a row can't be trained as what it is, or None.

    Every text of it must stand in what the model's template makes of it; of the answer there must be something within
    `max_length`, and behind it one of `stops`, which generation ends at (`tokenizer.stop_ids`).
    """
    try:
        made = encoded(tokenizer, row["prompt"], row["completion"])
    except ValueError as error:
        return str(error)
    answer, count = made.answer, len(made.tokens)
    if answer == count:
        return "the model's chat template leaves nothing of its answer: upload the model with one that has it"
    if left_out := _left_out(row, made.text):
        return (
            f"the model's chat template leaves out a part of the {left_out}: upload the model with one that keeps it, "
            "or leave it out of the rows"
        )
    if not any(token in stops for token in made.tokens[answer:]):
        return (
            "the model's chat template ends no answer with a token that generation stops at: upload the model with one "
            "that does"
        )
    if answer < max_length:
        return None
    return f"its question has {answer} of {count} tokens: max_length {max_length} would cut the whole answer off"


def _left_out(row: Row, rendered: str) -> str | None:
    """Whose text doesn't stand in what was rendered, each behind the one before it: an answer may repeat its question.

    A system's message may stand anywhere: some templates put it into a user's.
    """
    position = 0
    for message in [*row["prompt"], *row["completion"]]:
        for key, name in _TEXTS.items():
            text = message.get(key, "").strip()
            is_system = message["role"] == "system"
            found = rendered.find(text, 0 if is_system else position)
            if found < 0:
                return f"{message['role']}'s {name}"
            position = position if is_system else found + len(text)
    return None
