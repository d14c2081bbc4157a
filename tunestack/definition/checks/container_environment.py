"""A container takes at most 16 variables, 32 KB together."""

from tunestack.definition.containers import containers
from tunestack.definition.subject import MODEL, MODEL_PACKAGE, Problems, Subject

KINDS = frozenset({MODEL, MODEL_PACKAGE})
MOST_ENTRIES, MOST_BYTES = 16, 32 * 1024


def check(subject: Subject) -> Problems:
    for where, container in containers(subject):
        environment = container.get("Environment", {})
        if len(environment) > MOST_ENTRIES:
            yield f"{where}.Environment", f"must be at most {MOST_ENTRIES} entries, got {len(environment)}"
        size = sum(len(str(key)) + len(str(value)) for key, value in environment.items())
        if size > MOST_BYTES:
            yield f"{where}.Environment", f"must be at most 32 KB together, got {size} bytes"
