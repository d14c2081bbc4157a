"""The base model's tokenizer, ready for conversations."""

import logging
from pathlib import Path
from typing import Any

from tunestack_training.failure import JobError

# For base models that bring no template of their own: plain text with the roles' names.
PLAIN_CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{{ '### ' + message['role'] + ':\n' + message['content'] }}"
    "{% if message['role'] == 'assistant' %}{{ eos_token }}{% endif %}{{ '\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '### assistant:\n' }}{% endif %}"
)


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
        tokenizer.chat_template = PLAIN_CHAT_TEMPLATE
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer
