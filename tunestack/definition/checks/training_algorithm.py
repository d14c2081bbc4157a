"""A training has an image or an algorithm of the marketplace, never both."""

from tunestack.definition.subject import TRAINING, Problems, Subject

KINDS = frozenset({TRAINING})


def check(subject: Subject) -> Problems:
    algorithm = subject.part("AlgorithmSpecification")
    if algorithm and ("AlgorithmName" in algorithm) == ("TrainingImage" in algorithm):
        yield "AlgorithmSpecification", "needs exactly one of AlgorithmName and TrainingImage"
