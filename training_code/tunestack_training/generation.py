"""Answers to conversations, several at a time."""

from collections.abc import Sequence
from typing import Any

from tunestack_training.progress import Progress


def answer(
    model: Any,
    tokenizer: Any,
    conversations: Sequence[list[dict[str, str]]],
    *,
    max_new_tokens: int,
    batch_size: int,
    temperature: float = 0.0,
    progress: Progress | None = None,
) -> list[str]:
    """The model's answer to each conversation, in order, as it is; temperature 0: the likeliest token each time."""
    import torch

    sampling = {"do_sample": True, "temperature": temperature} if temperature > 0 else {"do_sample": False}
    tokenizer.padding_side = "left"
    answers: list[str] = []
    for start in range(0, len(conversations), batch_size):
        batch = list(conversations[start : start + batch_size])
        texts = [tokenizer.apply_chat_template(item, tokenize=False, add_generation_prompt=True) for item in batch]
        inputs = tokenizer(texts, return_tensors="pt", padding=True, add_special_tokens=False).to(model.device)
        with torch.inference_mode():
            output = model.generate(
                **inputs, max_new_tokens=max_new_tokens, pad_token_id=tokenizer.pad_token_id, **sampling
            )
        new = output[:, inputs["input_ids"].shape[1] :]
        answers += tokenizer.batch_decode(new, skip_special_tokens=True)
        if progress is not None:
            progress.add(len(batch))
    return answers
