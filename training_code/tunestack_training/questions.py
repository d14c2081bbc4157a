"""A line that asks, in the forms that people have: what is asked, under which name, and how it is to be answered."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from tunestack_training.messages import Message, UnusableError, conversation_of, shown
from tunestack_training.row_keys import CONTEXTS, HISTORY, SYSTEMS, is_there, plain_key
from tunestack_training.row_parts import (
    conversation_in,
    history_of,
    messages_in,
    named_as_known,
    question_in,
    question_text,
    system_of,
    what_else,
)  # fmt: skip
from tunestack_training.rows import unusable

_NAMES = ("custom_id", "record_id", "request_id", "id")
_LIMITS = (
    "max_tokens",
    "max_new_tokens",
    "max_completion_tokens",
    "max_output_tokens",
    "max_tokens_to_sample",
    "max_gen_len",
    "num_predict",
)
_STOPS = ("stop", "stop_sequences", "stop_strings")
_SAMPLING = ("temperature", "do_sample")
# Where a request has its question, and where beside it its parameters: batches of OpenAI and Bedrock, TGI, Ollama.
_BODIES = ("body", "model_input")
_PARAMETERS = ("parameters", "inference_config", "options", "generation_config", "sampling_params", "extra_body")
# What a request may ask of the answer that nothing here does → the values that ask for nothing.
_NOT_DONE: Mapping[str, tuple[Any, ...]] = {
    **dict.fromkeys(
        (
            "top_p", "typical_p", "n", "best_of", "num_beams", "num_return_sequences", "num_generations",
            "repetition_penalty", "repeat_penalty", "length_penalty",
        ), (1,),
    ),
    **dict.fromkeys(
        (
            "min_p", "top_a", "epsilon_cutoff", "eta_cutoff", "presence_penalty", "frequency_penalty",
            "no_repeat_ngram_size", "top_logprobs", "prompt_logprobs", "min_tokens", "min_new_tokens", "min_length",
            "mirostat",
        ), (0,),
    ),
    **dict.fromkeys(
        (
            "stream", "echo", "watermark", "return_full_text", "details", "decoder_input_details", "ignore_eos",
            "continue_final_message", "include_stop_str_in_output", "use_beam_search",
        ), (False,),
    ),
    **dict.fromkeys(
        (
            "guided_json", "guided_regex", "guided_choice", "guided_grammar", "grammar", "format", "json_schema",
            "structured_outputs", "tool_config", "guardrail_config", "reasoning_effort", "thinking", "enable_thinking",
            "chat_template", "max_length", "num_ctx", "truncate", "seed", "adapter", "adapter_id", "lora",
            "lora_request",
        ), (),
    ),
    **dict.fromkeys(("add_generation_prompt", "skip_special_tokens"), (True,)),
    **dict.fromkeys(("bad_words", "stop_token_ids"), ([],)),
    **dict.fromkeys(("logit_bias", "chat_template_kwargs"), ({},)),
    "top_k": (0, -1), "logprobs": (False, 0), "response_format": ({"type": "text"},), "tool_choice": ("none", "auto"),
}  # fmt: skip
# Of these a line that is no request may say something else.
_OF_REQUESTS_ALONE = {"format", "details", "grammar", "thinking", "echo", "n", "truncate", "lora", "adapter", "stream"}


@dataclass(frozen=True, kw_only=True)
class Question:
    """What a line asks. `name` comes back with the answer; what isn't given is the recipe's."""

    messages: list[Message]
    name: Any = None
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
    try:
        asked, parameters = _request(named_as_known(value))
        _refuse_what_is_not_done(parameters)
        return Question(
            messages=_messages(asked, reserved),
            name=next((given for key in _NAMES if is_there(given := parameters.get(key))), None),
            max_new_tokens=_limit(parameters),
            temperature=_temperature(parameters),
            stop=_stop(parameters),
        )
    except RecursionError:
        raise UnusableError("is nested too deeply") from None


def _request(value: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The question of a line, and what it says of itself and of its answer.

    Raises:
        UnusableError: among its parameters is one that nobody here knows.
    """
    plain = {plain_key(key): item for key, item in value.items()}
    body = next((plain[key] for key in _BODIES if isinstance(plain.get(key), dict)), None)
    asked = dict(value) if body is None else named_as_known(body)
    inside = {plain_key(key): item for key, item in asked.items()}
    given = inside if body is not None or "model" in inside else _without(inside, _OF_REQUESTS_ALONE)
    for place in _PARAMETERS:
        beside = inside.get(place)
        if isinstance(beside, dict):
            asked.pop(next(key for key in asked if plain_key(key) == place))
            found = {plain_key(key): item for key, item in beside.items()}
            if unknown := sorted(found.keys() - {*_NOT_DONE, *_LIMITS, *_STOPS, *_SAMPLING, *_PARAMETERS}):
                raise UnusableError(f"with {shown(unknown[0])} in {place!r}: nothing here knows it; leave it out")
            given = {**given, **found}
    return asked, {**given, **{key: plain[key] for key in _NAMES if key in plain}}


def _without(given: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    return {key: item for key, item in given.items() if key not in names}


def _refuse_what_is_not_done(given: Mapping[str, Any]) -> None:
    """
    Raises:
        UnusableError: an answer is asked for in a way that nothing here gives it.
    """
    for key, neutral in _NOT_DONE.items():
        value = given.get(key)
        # true is no 1 here: n of 1 is one answer, stream of 1 is a stream.
        if value is not None and not any(
            value == item and isinstance(value, bool) == isinstance(item, bool) for item in neutral
        ):
            raise UnusableError(f"{key!r}: answers are not sampled by it; leave it out")


def _messages(value: dict[str, Any], reserved: Collection[str]) -> list[Message]:
    """What is asked. No text may hold what is `reserved` for the template.

    Raises:
        UnusableError: it is of no known form, or more is asked than is read.
    """
    used = {*SYSTEMS}
    if found := conversation_in(value):
        messages = conversation_of(value[found], found).messages
    elif (found := question_in(value)) and found != "input":
        used |= {*CONTEXTS, HISTORY}
        turns = messages_in(value[found])
        messages = (
            conversation_of(turns, found).messages
            if turns
            else [{"role": "user", "content": question_text(value, found)}]
        )
        messages = history_of(value) + messages
    else:
        raise UnusableError('must have "instruction" or "messages"')
    if not messages or messages[-1]["role"] != "user":
        raise UnusableError("the last message must be the user's")
    system = system_of(value)
    if system and messages[0]["role"] == "system":
        raise UnusableError("it has two system messages: one beside its conversation, one in it")
    messages = system + messages
    what_else(value, {found, *used}, messages, asked=True)
    if problem := unusable(messages, reserved):
        raise UnusableError(problem)
    return messages


def _limit(given: Mapping[str, Any]) -> int | None:
    found = {key: given[key] for key in _LIMITS if given.get(key) is not None}
    for key, value in found.items():
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise UnusableError(f"{key!r} must be a number of tokens, at least 1")
    if len({*found.values()}) > 1:
        raise UnusableError(f"{' and '.join(map(repr, found))} say different numbers of tokens: leave one out")
    return next(iter(found.values()), None)


def _temperature(given: Mapping[str, Any]) -> float | None:
    value, samples = given.get("temperature"), given.get("do_sample")
    if samples not in (None, True, False) or (samples and value is None):
        raise UnusableError("'do_sample' must be true with a 'temperature', or false")
    if value is None:
        return None if samples is None else 0.0
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 2:
        raise UnusableError("'temperature' must be a number from 0 to 2")
    return 0.0 if samples is False else float(value)


def _stop(given: Mapping[str, Any]) -> tuple[str, ...]:
    found = {key: given[key] for key in _STOPS if is_there(given.get(key))}
    texts: list[Any] = []
    for key, value in found.items():
        texts += [value] if isinstance(value, str) else value if isinstance(value, list) else [None]
        if not all(isinstance(text, str) and text for text in texts):
            raise UnusableError(f"{key!r} must be a text, or a list of texts")
    return tuple(texts)
