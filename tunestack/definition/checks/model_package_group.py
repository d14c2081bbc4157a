"""A registry version belongs to a group, or has a name of its own."""

from tunestack.definition.subject import MODEL_PACKAGE, Problems, Subject

KINDS = frozenset({MODEL_PACKAGE})


def check(subject: Subject) -> Problems:
    if "ModelPackageGroupName" not in subject.arguments and "ModelPackageName" not in subject.arguments:
        yield "ModelPackageGroupName", "missing"
