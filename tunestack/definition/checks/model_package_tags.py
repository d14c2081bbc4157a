"""A registry version has no tags: its group has."""

from tunestack.definition.subject import MODEL_PACKAGE, Problems, Subject

KINDS = frozenset({MODEL_PACKAGE})


def check(subject: Subject) -> Problems:
    if "ModelPackageGroupName" in subject.arguments and subject.arguments.get("Tags"):
        yield "Tags", "belong on the group, not on a version"
