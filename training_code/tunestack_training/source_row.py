"""A row as a file has it: before anything is known of what it means."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class SourceRow:
    """A row as a file has it, or what kept it from being read."""

    file: str
    line: int
    value: Any
    problem: str | None = None
