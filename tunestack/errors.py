"""A user's mistake, and the hint that goes with it."""

from collections.abc import Iterable
from difflib import get_close_matches


class UserError(Exception):
    """Something that the user can put right: its text says what, where, and what would be right."""


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint that names the known name closest to a wrong one, or lists them all where none is close."""
    choices = sorted(known)
    # What differs in its letters' case alone is what was meant.
    same = [choice for choice in choices if choice.lower() == name.lower()]
    close = same or get_close_matches(name, choices, n=1, cutoff=0.6)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"known: {', '.join(choices)}" if len(choices) <= 20 else f"{len(choices)} names are known"
