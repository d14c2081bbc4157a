"""A training runs for 28 days at the most."""

from tunestack.definition.choices import number
from tunestack.definition.subject import TRAINING, Problems, Subject

KINDS = frozenset({TRAINING})
LONGEST_SECONDS = 28 * 24 * 3600


def check(subject: Subject) -> Problems:
    runtime = number(subject.part("StoppingCondition").get("MaxRuntimeInSeconds"))
    if runtime is not None and runtime > LONGEST_SECONDS:
        message = f"must be at most 28 days ({LONGEST_SECONDS}), got {runtime}"
        yield "StoppingCondition.MaxRuntimeInSeconds", message
