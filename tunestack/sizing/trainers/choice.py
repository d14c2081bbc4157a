"""Which trainer runs a job: by name and month, or, where nobody knows, all that could."""

from tunestack.errors import UserError, nearest
from tunestack.sizing.kinds import LossKernel
from tunestack.sizing.trainers.known import TRAINERS
from tunestack.sizing.trainers.trainer import Trainer


def known_names() -> tuple[str, ...]:
    """The names, each once."""
    return tuple(dict.fromkeys(trainer.name for trainer in TRAINERS))


def trainer_names() -> tuple[str, ...]:
    """The names of those that train."""
    return tuple(dict.fromkeys(trainer.name for trainer in TRAINERS if not trainer.serves))


def find_trainer(name: str, *, month: str | None = None) -> Trainer:
    """The facts of a trainer in a month (`2024-08`), or today's.

    Raises:
        UserError: no trainer of that name is known.
    """
    entries = [trainer for trainer in TRAINERS if trainer.name == name]
    if not entries:
        raise UserError(f"no trainer {name!r}; {nearest(name, known_names())}")
    begun = [trainer for trainer in entries if month is None or trainer.since <= month]
    return begun[-1] if begun else entries[0]


def possible_trainers(
    *, month: str | None = None, serves: bool = False, loss: LossKernel | None = None
) -> tuple[Trainer, ...]:
    """The trainers that there were in a month: one of each name, or without a month each that ever was.

    Those without a chunked loss haven't run a job with one. What else rules a trainer out is asked of the job that it
    would run: `ability.why_not`.
    """
    able = [
        trainer
        for trainer in TRAINERS
        if trainer.serves is serves
        if (loss == "chunked") == (trainer.loss == "chunked") or loss not in ("chunked", "plain")
    ]
    if month is None:
        return tuple(able)
    then = [trainer for trainer in able if trainer is find_trainer(trainer.name, month=month)]
    return tuple(then or able)
