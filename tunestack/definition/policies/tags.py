"""A job and a model require tags: their cost is found by them."""

from tunestack.definition.subject import MODEL, PROCESSING, TRAINING, TRANSFORM, Problems, Subject

KINDS = frozenset({PROCESSING, TRAINING, TRANSFORM, MODEL})


def check(subject: Subject) -> Problems:
    if not subject.arguments.get("Tags"):
        yield "Tags", "missing: nobody would know whose cost this is"
