"""A line that asks, in the forms that people have: what is asked, under which name, and how it is to be answered."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from tunestack_training.failure import UnusableError
from tunestack_training.messages import Message, conversation_of, shown
from tunestack_training.row_keys import CONTEXTS, CONVERSATIONS, HISTORY, QUESTIONS, SYSTEMS, is_there, plain_key
from tunestack_training.row_parts import (
    before_question,
    conversation_in,
    messages_in,
    named_as_known,
    question_in,
    question_text,
    system_of,
    what_else,
    with_system,
)  # fmt: skip
from tunestack_training.rows import unusable
from tunestack_training.tool_calls import TOOLS, tools_of

_NAMES = (
    "custom_id", "record_id", "request_id", "id", "_id", "uuid", "prompt_id", "question_id", "task_id", "idx", "index",
    "key",
)  # fmt: skip
_LIMITS = (
    "max_tokens", "max_new_tokens", "max_completion_tokens", "max_output_tokens", "max_tokens_to_sample", "max_gen_len",
    "max_token_count", "maximum_tokens", "num_predict", "n_predict",
)  # fmt: skip
# Of these, less than 0 is no limit.
_OR_NONE = ("num_predict", "n_predict")
_STOPS = ("stop", "stop_sequences", "stop_strings", "stop_sequence", "stop_words", "stop_token")
_SAMPLING = ("temperature", "do_sample")
# What changes nothing where the likeliest token is taken each time.
_OF_CHANCE = ("seed", "random_seed", "top_p", "top_k", "min_p", "typical_p")
# Where a request has its question, and where its parameters: batches of OpenAI, Anthropic, Bedrock; Ollama, TGI.
_BODIES = ("body", "model_input", "params", "request")
_PARAMETERS = (
    "parameters", "inference_config", "options", "generation_config", "sampling_params", "extra_body", "params",
    "generation_kwargs", "text_generation_config", "additional_model_request_fields",
)  # fmt: skip
# Of how it is answered, and not of what.
_OF_THE_MACHINE = (
    "use_cache", "wait_for_model", "num_gpu", "num_thread", "num_batch", "main_gpu", "use_mmap", "keep_alive",
    "repeat_last_n",
)  # fmt: skip
# What a request may ask of the answer that nothing here does → the values that ask for nothing.
_NOT_DONE: Mapping[str, tuple[Any, ...]] = {
    **dict.fromkeys(
        (
            "top_p", "typical_p", "n", "best_of", "num_beams", "num_return_sequences", "num_generations",
            "repetition_penalty", "repeat_penalty", "length_penalty", "candidate_count",
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
            "random_seed", "suppress_tokens", "allowed_token_ids", "truncate_prompt_tokens", "logits_processors",
            "early_stopping", "penalty_alpha", "max_time", "verbosity", "template", "raw", "safe_prompt", "prediction",
            "guided_json", "guided_regex", "guided_choice", "guided_grammar", "grammar", "format", "json_schema",
            "structured_outputs", "tool_config", "guardrail_config", "enable_thinking", "think",
            "chat_template", "max_length", "num_ctx", "truncate", "seed", "adapter", "adapter_id", "lora",
            "lora_request",
        ), (),
    ),
    **dict.fromkeys(("add_generation_prompt", "skip_special_tokens"), (True,)),
    **dict.fromkeys(("bad_words", "stop_token_ids"), ([],)),
    **dict.fromkeys(("logit_bias", "chat_template_kwargs"), ({},)),
    "reasoning_effort": ("none",), "thinking": ({"type": "disabled"}, False),
    "top_k": (0, -1), "logprobs": (False, 0), "response_format": ({"type": "text"},), "tool_choice": ("none", "auto"),
}  # fmt: skip
# A line that is no request may say something else by these: they are parameters where their value is one.
_VALUES: Mapping[str, tuple[type, ...]] = {
    "seed": (int,), "n": (int,), "stream": (bool, int), "details": (bool,), "echo": (bool,), "raw": (bool,),
    "think": (bool,), "thinking": (dict, bool), "json_schema": (dict,), "logprobs": (bool, int),
    "truncate": (bool, int), "format": (str, dict),
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Question:
    """What a line asks. `name` comes back with the answer; what isn't given is the recipe's."""

    messages: list[Message]
    tools: list[dict[str, Any]] | None = None
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
            tools=tools_of(asked) or None,
            name=next((given for key in _NAMES if is_there(given := parameters.get(key))), None),
            max_new_tokens=_limit(parameters),
            temperature=_temperature(parameters),
            stop=_stop(parameters),
        )
    except RecursionError:
        raise UnusableError("is nested too deeply") from None


def _request(value: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The question of a line, and what it says of itself and of its answer.

    Raises:
        UnusableError: among its parameters is one that nobody here knows, or one stands there twice.
    """
    outer = {plain_key(key): item for key, item in value.items()}
    body = next((outer[key] for key in _BODIES if _asks(outer.get(key))), None)
    asked = value if body is None else named_as_known(body)
    given = {plain_key(key): item for key, item in asked.items()}
    for place in _PARAMETERS:
        beside = given.get(place)
        if isinstance(beside, dict):
            asked = {key: item for key, item in asked.items() if plain_key(key) != place}
            found = {plain_key(key): (key, item) for key, item in beside.items()}
            for key, (name, item) in found.items():
                if key not in {*_NOT_DONE, *_LIMITS, *_STOPS, *_SAMPLING, *_PARAMETERS, *_OF_THE_MACHINE}:
                    raise UnusableError(f"with {shown(name)} in {place!r}: nothing here knows it; leave it out")
                if given.get(key, item) != item:
                    raise UnusableError(f"{key!r} stands there twice, with other values: leave one out")
            given = {**given, **{key: item for key, (_, item) in found.items()}}
    return asked, {**given, **{key: outer[key] for key in _NAMES if key in outer}}


def _asks(value: Any) -> bool:
    """Whether a part of a line is the request itself."""
    return isinstance(value, dict) and bool({*map(plain_key, value)} & {*CONVERSATIONS, *QUESTIONS, "input"})


def _refuse_what_is_not_done(given: Mapping[str, Any]) -> None:
    """
    Raises:
        UnusableError: an answer is asked for in a way that nothing here gives it.
    """
    is_greedy = given.get("do_sample") is False or (given.get("temperature") == 0 and given["temperature"] is not False)
    for key, neutral in _NOT_DONE.items():
        value = given.get(key)
        if value is None or not isinstance(value, _VALUES.get(key, (object,))) or (is_greedy and key in _OF_CHANCE):
            continue
        if key == "format" and isinstance(value, str) and value != "json":
            continue
        # true is no 1 here: n of 1 is one answer, stream of 1 is a stream.
        if not any(value == item and isinstance(value, bool) == isinstance(item, bool) for item in neutral):
            raise UnusableError(f"{key!r}: answers are not sampled by it; leave it out")


def _messages(value: dict[str, Any], reserved: Collection[str]) -> list[Message]:
    """What is asked. No text may hold what is `reserved` for the template.

    Raises:
        UnusableError: it is of no known form, or more is asked than is read.
    """
    used = {*SYSTEMS}
    if found := conversation_in(value):
        messages = with_system(system_of(value), conversation_of(value[found], found).messages)
    elif found := question_in(value):
        used |= {*CONTEXTS, HISTORY}
        turns = messages_in(value[found])
        asked = {"role": "user", "content": "" if turns else question_text(value, found)}
        messages = before_question(value) + (conversation_of(turns, found).messages if turns else [asked])
    else:
        raise UnusableError(_what_is_missing(value))
    if not messages or messages[-1]["role"] not in ("user", "tool"):
        raise UnusableError("the last message must be the user's")
    tools = tools_of(value)
    what_else(value, {found, *used, *(TOOLS if tools else ())}, messages, asked=True)
    if problem := unusable(messages, reserved, tools):
        raise UnusableError(problem)
    return messages


def _what_is_missing(value: Mapping[str, Any]) -> str:
    return f'must have "instruction" or "messages"; got the keys {", ".join(map(shown, value)) or "none"}'


def _limit(given: Mapping[str, Any]) -> int | None:
    found = {key: given[key] for key in _LIMITS if given.get(key) is not None}
    limits = set()
    for key, value in found.items():
        is_number = isinstance(value, int | float) and not isinstance(value, bool) and value == value // 1
        if is_number and value < 0 and key in _OR_NONE:
            continue
        if not is_number or value < 1:
            raise UnusableError(f"{key!r} must be a number of tokens, at least 1")
        limits.add(int(value))
    if len(limits) > 1:
        raise UnusableError(f"{' and '.join(map(repr, found))} say different numbers of tokens: leave one out")
    return next(iter(limits), None)


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
    found = {key: given[key] for key in _STOPS if given.get(key) not in (None, "", [])}
    texts: list[Any] = []
    for key, value in found.items():
        texts += [value] if isinstance(value, str) else value if isinstance(value, list) else [None]
        if not all(isinstance(text, str) and text for text in texts):
            raise UnusableError(f"{key!r} must be a text, or a list of texts")
    return tuple(texts)
