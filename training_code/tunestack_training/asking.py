"""A line that asks: as a question that the model can answer, or the reason why it can't."""

from typing import Any

from tunestack_training.chat_template import rendered
from tunestack_training.encoding import token_ids
from tunestack_training.labels import left_out_of_tools
from tunestack_training.questions import Question, question_of
from tunestack_training.rows import parse_line
from tunestack_training.tokenizer import reserved_tokens


class Asking:
    """Reads lines for one model: of its template, and short enough to leave room for an answer."""

    def __init__(self, tokenizer: Any, config: Any, *, max_new_tokens: int) -> None:
        self._tokenizer = tokenizer
        self._reserved = reserved_tokens(tokenizer)
        # Some models wrap the text model's configuration, beside a picture's.
        self._most_tokens = config.get_text_config().max_position_embeddings - max_new_tokens
        self._max_new_tokens = max_new_tokens

    def question(self, line: bytes) -> Question:
        """What a line asks to be answered.

        Raises:
            ValueError: it can't be.
        """
        question = question_of(parse_line(line), self._reserved)
        if (question.max_new_tokens or 0) > self._max_new_tokens:
            limit = f"{self._max_new_tokens:,} (the recipe's max_new_tokens)"
            raise ValueError(f"asks for {question.max_new_tokens:,} tokens, and an answer has at most {limit}")
        tokens = len(token_ids(self._tokenizer, question.messages, add_generation_prompt=True, tools=question.tools))
        if question.tools:
            self._check_tools(question)
        if tokens > self._most_tokens:
            raise ValueError(f"has {tokens:,} tokens, and the model takes {self._most_tokens:,} beside its answer")
        return question

    def _check_tools(self, question: Question) -> None:
        """
        Raises:
            ValueError: the model's template has no place for them.
        """
        row = {"prompt": question.messages, "completion": [], "tools": question.tools}
        text = rendered(self._tokenizer, question.messages, add_generation_prompt=True, tools=question.tools)
        if left_out := left_out_of_tools(row, text):
            raise ValueError(f"the model's chat template leaves out a part of the {left_out}")
