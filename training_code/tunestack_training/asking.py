"""A line that asks: as a conversation that the model can answer, or the reason why it can't."""

from typing import Any

from tunestack_training.rows import parse_line, to_prompt
from tunestack_training.tokenizer import reserved_tokens, token_ids


class Asking:
    """Reads lines for one model: of its template, and short enough to leave room for an answer."""

    def __init__(self, tokenizer: Any, config: Any, *, max_new_tokens: int) -> None:
        self._tokenizer = tokenizer
        self._reserved = reserved_tokens(tokenizer)
        self._most_tokens = config.max_position_embeddings - max_new_tokens

    def conversation(self, line: bytes) -> list[dict[str, str]]:
        """The conversation that a line asks to be answered.

        Raises:
            ValueError: it can't be.
        """
        prompt = to_prompt(parse_line(line), self._reserved)
        tokens = len(token_ids(self._tokenizer, prompt, add_generation_prompt=True))
        if tokens > self._most_tokens:
            raise ValueError(f"has {tokens:,} tokens, and the model takes {self._most_tokens:,} beside its answer")
        return prompt
