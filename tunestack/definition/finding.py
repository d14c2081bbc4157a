"""What the validator has to say about a definition."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How much a finding weighs: the service refuses it, our rules do, or nothing here knows."""

    INVALID = "invalid"
    POLICY = "policy"
    NOTE = "note"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing to say of a definition; what breaks a policy names the rule."""

    where: str
    message: str
    level: Level = Level.INVALID
    rule: str | None = None

    def __str__(self) -> str:
        return f"{self.where}: {self.message}" if self.where else self.message
