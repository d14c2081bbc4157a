"""Spot training says how long it waits and runs together, at least as long as it runs; on demand, nothing waits."""

from tunestack.definition.choices import number
from tunestack.definition.subject import TRAINING, Problems, Subject

KINDS = frozenset({TRAINING})
_WAIT = "StoppingCondition.MaxWaitTimeInSeconds"


def check(subject: Subject) -> Problems:
    stopping, spot = subject.part("StoppingCondition"), bool(subject.arguments.get("EnableManagedSpotTraining"))
    runtime, wait = number(stopping.get("MaxRuntimeInSeconds")), stopping.get("MaxWaitTimeInSeconds")
    if wait is not None and not spot:
        yield _WAIT, "only with EnableManagedSpotTraining"
    if spot and wait is None:
        yield _WAIT, "missing: spot training needs it"
    waited = number(wait)
    if spot and runtime is not None and waited is not None and waited < runtime:
        yield _WAIT, f"must be at least MaxRuntimeInSeconds ({runtime}), got {wait}"
