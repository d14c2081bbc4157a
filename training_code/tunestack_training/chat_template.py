"""A model's chat template is code that came with it: what it makes of a conversation is bounded, and looked at."""

import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from tunestack_training.failure import JobError

# One conversation takes milliseconds, and a template adds some marks to each message.
MAX_SECONDS = 10
Tools = list[dict[str, Any]] | None
MAX_CHARACTERS_PER_CHARACTER, MAX_CHARACTERS_MORE = 100, 100_000


def rendered(tokenizer: Any, messages: list[dict[str, Any]], **options: Any) -> str:
    """The text that a model's template makes of a conversation.

    Raises:
        ValueError: the template refuses it: a system's message, or two of one role after each other.
        JobError: the template doesn't end, or makes far more of it than there is.
    """
    from jinja2 import TemplateError

    try:
        with at_most(MAX_SECONDS):
            text: str = tokenizer.apply_chat_template(messages, tokenize=False, **options)
    except (TemplateError, TypeError, LookupError) as error:
        raise ValueError(f"the model's chat template refuses it: {error}") from None
    check_length(text, messages, options.get("tools"))
    return text


def rendered_all(
    tokenizer: Any, conversations: Sequence[list[dict[str, Any]]], tools: Sequence[Tools] = (), **options: Any
) -> list[str | ValueError]:
    """The text of each conversation, or why the template refuses it: together, which takes a third of the time.

    `tools` are those of each; templates take one list of them for all, so that these are rendered one by one.

    Raises:
        JobError: the template doesn't end, or makes far more of one than there is.
    """
    from jinja2 import TemplateError

    if not conversations:
        return []
    if any(tools):
        pairs = zip(conversations, tools, strict=True)
        return [_rendered_or_refused(tokenizer, messages, tools=of_it or None, **options) for messages, of_it in pairs]
    try:
        with at_most(MAX_SECONDS):
            texts: list[str] = tokenizer.apply_chat_template(list(conversations), tokenize=False, **options)
    except (TemplateError, TypeError, LookupError, JobError):
        # One of them: which, and whether it is so by itself, is seen one by one.
        return [_rendered_or_refused(tokenizer, messages, **options) for messages in conversations]
    for text, messages in zip(texts, conversations, strict=True):
        check_length(text, messages)
    return list(texts)


def _rendered_or_refused(tokenizer: Any, messages: list[dict[str, Any]], **options: Any) -> str | ValueError:
    try:
        return rendered(tokenizer, messages, **options)
    except ValueError as error:
        return error


def check_length(text: str, messages: list[dict[str, Any]], tools: Tools = None) -> None:
    """See that a template made a text of a conversation that is like it in length.

    Raises:
        JobError: it is far longer.
    """
    given = sum(len(message["content"]) for message in messages)
    if len(text) <= MAX_CHARACTERS_PER_CHARACTER * given + MAX_CHARACTERS_MORE:
        return
    given += len(str(tools or "")) + sum(len(str(message.get("tool_calls", ""))) for message in messages)
    if len(text) > MAX_CHARACTERS_PER_CHARACTER * given + MAX_CHARACTERS_MORE:
        raise JobError(
            f"the model's chat template makes {len(text):,} characters of a conversation of {given:,}: upload the "
            "model with a template that doesn't repeat itself"
        )


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Bound what a template may take, where Python lets a thread be interrupted: in the main one.

    Raises:
        JobError: it takes longer.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(*_: Any) -> None:
        raise JobError(
            f"the model's chat template runs for more than {seconds:g} seconds on one conversation: upload the model "
            "with one that ends"
        )

    before = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
