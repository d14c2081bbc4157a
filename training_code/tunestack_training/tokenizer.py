"""The base model's tokenizer, ready for conversations."""

import logging
import re
from pathlib import Path
from typing import Any

from tunestack_training.chat_template import rendered
from tunestack_training.failure import JobError

# For base models that bring no template of their own: plain text with the roles' names.
PLAIN_CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{{ '### ' + message['role'] + ':\n' + message['content'] }}"
    "{% if message['role'] == 'assistant' %}{{ eos_token }}{% endif %}{{ '\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '### assistant:\n' }}{% endif %}"
)


# What looks like a mark of a turn, though the template that is there doesn't use it.
_MARK = re.compile(r"^<\|.*\|>$|^\[/?[A-Z_]+\]$|^</?s>$|turn|header|eot|eom")
_MARKED = "an answer"


def reserved_tokens(tokenizer: Any) -> list[str]:
    """What a text must not hold: it would be read as the end of a turn, or the beginning of another.

    Of a tokenizer's special tokens those alone: `<filename>`, which some have for code, is text like any other.
    """
    added = [str(token) for token in tokenizer.added_tokens_decoder.values() if token.special]
    named = {tokenizer.bos_token, tokenizer.eos_token, tokenizer.pad_token}
    template = str(tokenizer.chat_template or "")
    # What is a word besides is no mark: some models pad with one.
    special = {token for token in (*added, *tokenizer.all_special_tokens) if token.strip() and not token.isalnum()}
    return sorted(token for token in special if token in named or token in template or _MARK.search(token))


def stop_ids(tokenizer: Any) -> frozenset[int]:
    """What ends an answer: the model's own end, and what its template puts behind one.

    A base model's own end is often another than the end of a turn in the template that it was given.
    """
    return frozenset(index for index in (tokenizer.eos_token_id, _end_of_turn(tokenizer)) if index is not None)


def _end_of_turn(tokenizer: Any) -> int | None:
    """The first special token that the template puts behind an answer, if it puts one."""
    messages = [{"role": "user", "content": "a"}, {"role": "assistant", "content": _MARKED}]
    try:
        behind = rendered(tokenizer, messages).rpartition(_MARKED)[2]
    except ValueError:
        return None
    special = {index for index, token in tokenizer.added_tokens_decoder.items() if token.special}
    ids = tokenizer(behind, add_special_tokens=False)["input_ids"]
    return next((index for index in ids if index in special), None)


def load_tokenizer(folder: Path) -> Any:
    """The tokenizer of an uploaded model, with a chat template and a padding token.

    Raises:
        JobError: the folder holds none.
    """
    from transformers import AutoTokenizer

    if not (folder / "tokenizer_config.json").exists():
        found = ", ".join(sorted(file.name for file in folder.glob("*"))) or "nothing"
        raise JobError(
            f"no tokenizer in the base model's folder (found {found}); upload it with `tunestack models add`"
        )
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    if tokenizer.chat_template is None:
        logging.getLogger(__name__).info("the tokenizer has no chat template: a plain one is used")
        tokenizer.chat_template = ("{{ bos_token }}" if _begins_texts(tokenizer) else "") + PLAIN_CHAT_TEMPLATE
    if tokenizer.pad_token is None:
        if tokenizer.eos_token is None:
            raise JobError("the tokenizer has neither an end (eos_token) nor a padding token: name one in its config")
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def check_vocabulary(tokenizer: Any, places: int) -> None:
    """See that a model has a place for each token of its tokenizer.

    Raises:
        JobError: one lies beyond: a GPU fails on it in the middle of a training.
    """
    number, token = max((number, token) for token, number in tokenizer.get_vocab().items())
    if number >= places:
        raise JobError(
            f"token {token!r} has the number {number:,}, and the model has places for {places:,} tokens: resize its "
            "embeddings (resize_token_embeddings), or take the token out"
        )


def _begins_texts(tokenizer: Any) -> bool:
    """Whether a tokenizer puts its beginning before every text: so the base was trained."""
    return tokenizer.bos_token_id is not None and tokenizer("a")["input_ids"][:1] == [tokenizer.bos_token_id]
