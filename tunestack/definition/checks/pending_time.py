"""The wait for capacity can be limited for GPU types only."""

from tunestack.definition.choices import instance_choices
from tunestack.definition.subject import TRAINING, Problems, Subject

KINDS = frozenset({TRAINING})


def check(subject: Subject) -> Problems:
    limited = "MaxPendingTimeInSeconds" in subject.part("StoppingCondition")
    if limited and any(not instance.gpus for instance in instance_choices(subject)):
        yield "StoppingCondition.MaxPendingTimeInSeconds", "only for GPU types"
