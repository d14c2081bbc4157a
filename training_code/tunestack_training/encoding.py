"""Conversations as tokens, many at a time: those that TRL trains, and where among them the answer begins."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from tunestack_training.chat_template import Tools, rendered, rendered_all

Messages = list[dict[str, Any]]
# What is asked and what is answered, and the tools that may be called, if there are any.
Row = tuple[Messages, Messages] | tuple[Messages, Messages, Tools]
# A question with the beginning of its answer, and the whole.
Rendered = tuple[str, str]


class Encoded(NamedTuple):
    """A conversation as tokens and as text, and where among the tokens the answer begins."""

    tokens: list[int]
    answer: int
    text: str


class Encoder:
    """Question and answer as the model's template has them; the answer begins where TRL has it begin.

    That is where the tokens of the whole and of the question with its generation prompt part ways: a template may put
    more into the one than into the other. A text is tokenized between its added tokens, piece by piece: up to the last
    one of the question the two are alike, and only what is behind it is tokenized twice.
    """

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._added = {str(token): index for index, token in tokenizer.added_tokens_decoder.items() if token.special}
        self._tails: dict[str, list[int]] = {}

    def one(self, prompt: Messages, completion: Messages, tools: Tools = None) -> Encoded:
        """One conversation.

        Raises:
            ValueError: the model's template refuses it.
        """
        (found,) = self.all([(prompt, completion, tools)])
        if isinstance(found, ValueError):
            raise found
        return found

    def all(self, rows: Sequence[Row]) -> list[Encoded | ValueError]:
        """Each conversation, in order, or why the model's template refuses it."""
        return self.tokenized(self.rendered(rows))

    def with_own_tokens(
        self, prompt: Messages, completion: Messages, tools: Tools = None
    ) -> tuple[list[int], list[int]]:
        """The tokens of a conversation, and where among them those of the answer's own text are: no mark of a turn.

        Of an answer that calls tools that is all of it: how a call is written belongs to it.

        Raises:
            ValueError: the model's template refuses the conversation.
        """
        tokens, answer, text = self.one(prompt, completion, tools)
        if any("tool_calls" in message for message in completion):
            return tokens, [*range(answer, len(tokens))]
        spans = self._tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"]
        parts = [
            message[key].strip() for message in completion for key in ("reasoning_content", "content") if key in message
        ]
        places = [(text.rfind(part), len(part)) for part in parts]
        own = [
            index
            for index, (start, end) in enumerate(spans)
            if index >= answer and any(start < place + size and end > place for place, size in places if place >= 0)
        ]
        return tokens, own or [*range(answer, len(tokens))]

    def rendered(self, rows: Sequence[Row]) -> list[Rendered | ValueError]:
        """What the template makes of each conversation, or why not; its time is bounded, in the main thread."""
        tools = [next(iter(of_it), None) for _, _, *of_it in rows]
        asked = rendered_all(self._tokenizer, [row[0] for row in rows], tools, add_generation_prompt=True)
        whole = rendered_all(self._tokenizer, [row[0] + row[1] for row in rows], tools)
        return [
            question if isinstance(question, ValueError) else text if isinstance(text, ValueError) else (question, text)
            for question, text in zip(asked, whole, strict=True)
        ]

    def tokenized(self, texts: Sequence[Rendered | ValueError]) -> list[Encoded | ValueError]:
        """The tokens of each; without holding Python's lock for the most of it."""
        good = [pair for pair in texts if not isinstance(pair, ValueError)]
        encoded = iter(self._encoded(good))
        return [pair if isinstance(pair, ValueError) else next(encoded) for pair in texts]

    def _encoded(self, pairs: Sequence[Rendered]) -> list[Encoded]:
        if not pairs:
            return []
        backend = self._tokenizer.backend_tokenizer
        # As a tokenizer's own files may have it otherwise: a row as it is.
        backend.no_truncation()
        backend.no_padding()
        made = [item.ids for item in backend.encode_batch_fast([text for _, text in pairs], add_special_tokens=False)]
        starts = [self._last_added_token(ids, *pair) for pair, ids in zip(pairs, made, strict=True)]
        tails = [question[start:] for (question, _), (start, _) in zip(pairs, starts, strict=True)]
        missing = [tail for tail in dict.fromkeys(tails) if tail not in self._tails]
        found = backend.encode_batch_fast(missing, add_special_tokens=False) if missing else []
        known = self._tails | {tail: item.ids for tail, item in zip(missing, found, strict=True)}
        # Those of whole questions are seen once; the role that answers, behind a mark, is the same for all of them.
        self._tails = {tail: known[tail] for tail, (start, _) in zip(tails, starts, strict=True) if start}
        return [
            Encoded(ids, index + common_prefix(known[tail], ids[index : index + len(known[tail])]), text)
            for ids, tail, (_, index), (_, text) in zip(made, tails, starts, pairs, strict=True)
        ]

    def _last_added_token(self, ids: list[int], question: str, text: str) -> tuple[int, int]:
        """Where the last added token of a question begins: its first character, and its number among the tokens."""
        if not text.startswith(question):
            return 0, 0
        start, token = max(((question.rfind(token), token) for token in self._added), default=(-1, ""))
        # Where one of them is a part of another, nobody knows which was meant.
        if start < 0 or ids.count(self._added[token]) != text.count(token):
            return 0, 0
        index = -1
        for _ in range(question.count(token)):
            index = ids.index(self._added[token], index + 1)
        return start, index


def common_prefix(tokens: Sequence[int], others: Sequence[int]) -> int:
    """How many tokens two sequences have in common, from the first."""
    pairs = enumerate(zip(tokens, others, strict=False))
    return next((index for index, (one, other) in pairs if one != other), min(len(tokens), len(others)))


def token_ids(tokenizer: Any, messages: Messages, **options: Any) -> list[int]:
    """The tokens of a conversation.

    Raises:
        ValueError: the model's template refuses it: a system's message, or two of one role after each other.
        JobError: the template can't be used at all.
    """
    text = rendered(tokenizer, messages, **options)
    ids: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
    return ids
