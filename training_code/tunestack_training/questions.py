"""A line that asks, in the forms that people have: what is asked, under which name, and how it is to be answered."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from tunestack_training.messages import Message, UnusableError
from tunestack_training.rows import to_prompt

_NAMES = ("custom_id", "id")
_LIMITS = ("max_tokens", "max_new_tokens", "max_completion_tokens")
# Where a request has its parameters beside its question: OpenAI's batches, TGI.
_BODY, _PARAMETERS = "body", "parameters"
# What a request may ask of the sampling: nothing here does it, but for values that change nothing.
_NOT_DONE = (
    "top_p", "top_k", "min_p", "typical_p", "n", "best_of", "seed", "logit_bias", "logprobs", "top_logprobs", "stream",
    "presence_penalty", "frequency_penalty", "repetition_penalty", "response_format", "do_sample", "watermark",
    "return_full_text", "details", "decoder_input_details", "truncate", "guided_json", "guided_regex", "tool_choice",
)  # fmt: skip
_NEUTRAL: tuple[Any, ...] = (None, False, 0, 1, [], "", "auto", "none")


@dataclass(frozen=True, kw_only=True)
class Question:
    """What a line asks. `name` comes back with the answer; what isn't given is the recipe's."""

    messages: list[Message]
    name: str | int | None = None
    max_new_tokens: int | None = None
    temperature: float | None = None
    stop: tuple[str, ...] = ()

    def cut(self, text: str) -> str:
        """An answer up to the first of the texts that it is to stop at."""
        ends = [text.index(stop) for stop in self.stop if stop in text]
        return text[: min(ends)] if ends else text


def question_of(value: Any, reserved: Collection[str] = ()) -> Question:
    """What a request asks. No text may hold what is `reserved` for the template.

    Raises:
        ValueError: the request is of no known form, or asks for what nothing here does.
    """
    if not isinstance(value, dict):
        raise UnusableError(f"must be a JSON object, got {type(value).__name__}")
    inner = value.get(_BODY)
    asked = {**inner, **{key: value[key] for key in _NAMES if key in value}} if isinstance(inner, dict) else value
    beside = asked.get(_PARAMETERS)
    given = {**asked, **beside} if isinstance(beside, dict) else asked
    for key in _NOT_DONE:
        if given.get(key) not in _NEUTRAL:
            raise UnusableError(f"{key!r}: answers are not sampled by it; leave it out")
    return Question(
        messages=to_prompt(asked, reserved),
        name=_name(given),
        max_new_tokens=_limit(given),
        temperature=_temperature(given),
        stop=_stop(given),
    )


def _name(given: Mapping[str, Any]) -> str | int | None:
    found = next((given[key] for key in _NAMES if given.get(key) is not None), None)
    return found if isinstance(found, str | int) else None


def _limit(given: Mapping[str, Any]) -> int | None:
    for key in _LIMITS:
        value = given.get(key)
        if value is not None:
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise UnusableError(f"{key!r} must be a number of tokens, at least 1")
            return value
    return None


def _temperature(given: Mapping[str, Any]) -> float | None:
    value = given.get("temperature")
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 2:
        raise UnusableError("'temperature' must be a number from 0 to 2")
    return float(value)


def _stop(given: Mapping[str, Any]) -> tuple[str, ...]:
    value = given.get("stop") or []
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not all(isinstance(text, str) and text for text in texts):
        raise UnusableError("'stop' must be a text, or a list of texts")
    return tuple(texts)
