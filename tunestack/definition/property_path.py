"""The grammar of a property's path: `ProcessingOutputConfig.Outputs['train'].S3Output.S3Uri`, `Containers[0].Image`."""

import re
from collections.abc import Iterator
from typing import NamedTuple

_PART = re.compile(r"\.?([A-Za-z]\w*)|\['([^']*)'\]|\[(\d+)\]")
_OUTPUT = re.compile(r"ProcessingOutputConfig\.Outputs\['([^']*)'\]")


class Part(NamedTuple):
    """One step of a path: exactly one of member, key and position is there; `before` is the path up to it."""

    member: str | None
    key: str | None
    position: int | None
    before: str


class PathError(ValueError):
    """A path that can't be read; the text says from where on."""


def parts(path: str) -> Iterator[Part]:
    """The path's parts in order.

    Raises:
        PathError: it can't be read to its end.
    """
    position = 0
    while position < len(path):
        match = _PART.match(path, position)
        if match is None:
            raise PathError(f"can't be read from {path[position:]!r} on")
        member, key, index = match.groups()
        yield Part(member=member, key=key, position=int(index) if index else None, before=path[:position])
        position = match.end()


def output_of(path: str) -> str | None:
    """The name of the processing output that the path leads into, or None."""
    found = _OUTPUT.match(path)
    return found.group(1) if found else None


def uri_of_output(name: str) -> str:
    """The path of a processing output's place in S3."""
    return f"ProcessingOutputConfig.Outputs['{name}'].S3Output.S3Uri"
