"""How many tokens a model has positions for."""

from collections.abc import Mapping
from typing import Any

from tunestack_training.failure import JobError

_NAMES = ("max_position_embeddings", "n_positions", "max_seq_len", "seq_length")


def check_length(config: Mapping[str, Any], max_length: int) -> None:
    """See that a model has positions for the tokens of a row; one whose configuration doesn't say takes any number.

    Raises:
        JobError: it hasn't: transformers would fail in the paid job, or train what the model can't tell apart.
    """
    # Some models wrap the text model's configuration, beside a picture's.
    text = config.get("text_config") or config
    most = next((text[name] for name in _NAMES if isinstance(text.get(name), int)), None)
    if most is not None and max_length > most:
        raise JobError(
            f"training.max_length {max_length} is more than the model has positions for: {most} "
            "(max_position_embeddings of its config.json)"
        )
