"""A job requires a time limit (MaxRuntimeInSeconds)."""

from tunestack.definition.subject import PROCESSING, TRAINING, Problems, Subject

KINDS = frozenset({PROCESSING, TRAINING})


def check(subject: Subject) -> Problems:
    if "MaxRuntimeInSeconds" not in subject.part("StoppingCondition"):
        yield "StoppingCondition.MaxRuntimeInSeconds", "missing: a job that hangs would be paid for a day"
