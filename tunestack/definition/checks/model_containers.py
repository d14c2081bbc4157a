"""A model has one container or several, named by the one member or the other."""

from tunestack.definition.subject import MODEL, Problems, Subject

KINDS = frozenset({MODEL})


def check(subject: Subject) -> Problems:
    both = ("PrimaryContainer" in subject.arguments) == ("Containers" in subject.arguments)
    if both and "InferenceExecutionConfig" not in subject.arguments:
        yield "", "needs exactly one of PrimaryContainer and Containers"
