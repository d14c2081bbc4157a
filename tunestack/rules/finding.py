"""What a rule has to say."""

from dataclasses import dataclass

# A property of the resource, and what is wrong with it.
Problem = tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class Violation:
    """A resource that breaks a rule, named by the rule's file."""

    rule: str
    logical_id: str
    template: str
    where: str
    message: str

    @property
    def place(self) -> str:
        """The rule, the resource and its property: what a pattern accepts, whatever is wrong with it."""
        return f"{self.rule} {self.logical_id}.{self.where}"

    def __str__(self) -> str:
        return f"{self.rule}: {self.logical_id}.{self.where}: {self.message}"
