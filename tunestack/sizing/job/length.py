"""Sequences that a model can't see."""

from tunestack.sizing.job.fine_tuning import SizingError
from tunestack.sizing.model.architecture import Architecture


def check_length(architecture: Architecture, max_length: int) -> None:
    """Learned positions end: a longer sequence fails at its first token beyond. Rotary ones don't.

    Raises:
        SizingError: the sequences are longer than the model has positions.
    """
    positions = architecture.position_parameters // architecture.hidden
    if positions and max_length > positions:
        raise SizingError(
            f"max_length {max_length:,} is above the {positions:,} positions that {architecture.name} has"
        )
