"""What the validator has to say about a definition."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing wrong with a definition, or, as a note, one thing that isn't known here."""

    where: str
    message: str
    is_note: bool = False

    def __str__(self) -> str:
        return f"{self.where}: {self.message}" if self.where else self.message
