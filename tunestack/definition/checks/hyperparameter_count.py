"""A training takes at most 100 hyperparameters."""

from tunestack.definition.subject import TRAINING, Problems, Subject

KINDS = frozenset({TRAINING})
MOST = 100


def check(subject: Subject) -> Problems:
    count = len(subject.part("HyperParameters"))
    if count > MOST:
        yield "HyperParameters", f"must be at most {MOST} entries, got {count}"
