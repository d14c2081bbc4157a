"""The containers that a model or a registry version is made of."""

from collections.abc import Iterator, Mapping
from typing import Any

from tunestack.definition.subject import MODEL, Subject


def containers(subject: Subject) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each container with its place in the request."""
    if subject.kind == MODEL and "PrimaryContainer" in subject.arguments:
        yield "PrimaryContainer", subject.arguments["PrimaryContainer"]
    several = subject.arguments if subject.kind == MODEL else subject.part("InferenceSpecification")
    where = "Containers" if subject.kind == MODEL else "InferenceSpecification.Containers"
    for index, container in enumerate(several.get("Containers", [])):
        yield f"{where}[{index}]", container
