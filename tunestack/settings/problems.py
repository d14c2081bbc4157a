"""What is wrong with a user's file: every problem at once, each in one line."""

from collections.abc import Sequence
from dataclasses import dataclass

from tunestack.errors import UserError

# Of a key in a message, in characters.
LONGEST_KEY = 200


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing wrong: where, what, and what would be right."""

    file: str
    message: str
    key: str = ""
    line: int | None = None

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {_printable(self.key)}: {self.message}" if self.key else f"{place}: {self.message}"


class SettingsError(UserError, ValueError):
    """Settings that can't be used; its text has a line per problem."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in problems))


def _printable(key: str) -> str:
    """A key in one line, whatever is in it."""
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in key)[:LONGEST_KEY]
