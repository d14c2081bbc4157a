"""A container has its model from one source."""

from tunestack.definition.containers import containers
from tunestack.definition.subject import MODEL, Problems, Subject

KINDS = frozenset({MODEL})


def check(subject: Subject) -> Problems:
    for where, container in containers(subject):
        if "ModelDataUrl" in container and "ModelDataSource" in container:
            yield where, "needs at most one of ModelDataUrl and ModelDataSource"
