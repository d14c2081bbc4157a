"""A version must be registered behind a Condition step that the evaluation can fail."""

from tunestack.definition.subject import MODEL_PACKAGE, Problems, Subject

KINDS = frozenset({MODEL_PACKAGE})


def check(subject: Subject) -> Problems:
    if not subject.around.conditions:
        yield "", "registers whatever was trained: put it behind a Condition step that reads the evaluation"
    elif not any('"Std:JsonGet"' in condition or '"Steps.' in condition for condition in subject.around.conditions):
        yield "", "is behind conditions that read nothing of the evaluation"
