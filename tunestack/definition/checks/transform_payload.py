"""A transform sends at most 100 MB at a time: a request, and all concurrent ones together."""

from tunestack.definition.choices import number
from tunestack.definition.subject import TRANSFORM, Problems, Subject

KINDS = frozenset({TRANSFORM})
MOST_MB = 100


def check(subject: Subject) -> Problems:
    concurrent = number(subject.arguments.get("MaxConcurrentTransforms", 1))
    payload = number(subject.arguments.get("MaxPayloadInMB", 6))
    if payload is not None and payload > MOST_MB:
        yield "MaxPayloadInMB", f"must be at most {MOST_MB}, got {payload}"
    elif concurrent is not None and payload is not None and concurrent * payload > MOST_MB:
        message = f"times MaxPayloadInMB must be at most {MOST_MB}, got {concurrent} × {payload}"
        yield "MaxConcurrentTransforms", message
