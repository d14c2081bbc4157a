"""Answers to conversations, several at a time."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from tunestack_training.chat_template import Tools
from tunestack_training.progress import Progress
from tunestack_training.tokenizer import reserved_tokens, stop_ids


@dataclass(frozen=True)
class Answer:
    """What a model said, and whether it came to an end by itself or ran into the limit."""

    text: str
    ended: bool


def answer(
    model: Any,
    tokenizer: Any,
    conversations: Sequence[list[dict[str, Any]]],
    *,
    tools: Sequence[Tools] = (),
    max_new_tokens: int,
    batch_size: int,
    temperature: float = 0.0,
    limits: Sequence[int | None] = (),
    progress: Progress | None = None,
) -> list[Answer]:
    """The model's answer to each conversation, in order; temperature 0: the likeliest token each time.

    What the base's generation_config says of penalties and sampling is left aside. `limits` are those of single
    conversations, at most `max_new_tokens`, and `tools` what each of them may call.
    """
    import torch

    how: dict[str, Any] = {"do_sample": False}
    if temperature > 0:
        how = {"do_sample": True, "temperature": temperature, "top_k": 0, "top_p": 1.0}
    stops = stops_of(model, tokenizer)
    marks = set(tokenizer.convert_tokens_to_ids(reserved_tokens(tokenizer)))
    tokenizer.padding_side = "left"
    answers: list[Answer] = []
    for start in range(0, len(conversations), batch_size):
        batch = list(conversations[start : start + batch_size])
        texts = [
            tokenizer.apply_chat_template(
                item, tools=tools[index] if tools else None, tokenize=False, add_generation_prompt=True
            )
            for index, item in enumerate(batch, start=start)
        ]
        inputs = tokenizer(texts, return_tensors="pt", padding=True, add_special_tokens=False).to(model.device)
        with torch.inference_mode():
            output = model.generate(
                **inputs, max_new_tokens=max_new_tokens, pad_token_id=tokenizer.pad_token_id,
                eos_token_id=sorted(stops) or None,
                repetition_penalty=1.0, no_repeat_ngram_size=0, **how,
            )  # fmt: skip
        new = output[:, inputs["input_ids"].shape[1] :].tolist()
        for index, tokens in enumerate(new, start=start):
            limit = limits[index] if index < len(limits) else None
            answers.append(_read(tokenizer, tokens[:limit], stops, marks))
        if progress is not None:
            progress.add(len(batch))
    return answers


def stops_of(model: Any, tokenizer: Any) -> frozenset[int]:
    """The tokens that end an answer: the template's end of a turn, the tokenizer's end, the generation_config's."""
    found = model.generation_config.eos_token_id
    return stop_ids(tokenizer) | frozenset(found if isinstance(found, list) else [found] if found is not None else [])


def said_by(tokenizer: Any, tokens: list[int], stops: Collection[int]) -> Answer:
    """An answer's tokens as the text that a model says by them."""
    return _read(tokenizer, tokens, stops, set(tokenizer.convert_tokens_to_ids(reserved_tokens(tokenizer))))


def _read(tokenizer: Any, tokens: list[int], stops: Collection[int], marks: Collection[int]) -> Answer:
    """An answer up to its end, without marks of turns; special tokens that are text stay."""
    end = next((index for index, token in enumerate(tokens) if token in stops), None)
    text = [token for token in tokens[:end] if token not in marks]
    return Answer(tokenizer.decode(text), ended=end is not None)
