"""A training that is not serverless says algorithm, resources, time limit and output, whatever its shape requires."""

from tunestack.definition.subject import TRAINING, Problems, Subject

KINDS = frozenset({TRAINING})
_NEEDED = ("AlgorithmSpecification", "ResourceConfig", "StoppingCondition", "OutputDataConfig")


def check(subject: Subject) -> Problems:
    if "ServerlessJobConfig" in subject.arguments:
        return
    for member in _NEEDED:
        if member not in subject.arguments:
            yield member, "missing"
