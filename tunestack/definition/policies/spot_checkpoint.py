"""A training on spot capacity requires a checkpoint location: it may be interrupted."""

from tunestack.definition.subject import TRAINING, Problems, Subject

KINDS = frozenset({TRAINING})


def check(subject: Subject) -> Problems:
    if subject.arguments.get("EnableManagedSpotTraining") and "CheckpointConfig" not in subject.arguments:
        yield "CheckpointConfig", "missing: an interrupted spot training would start from nothing"
