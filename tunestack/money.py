"""Dollars as people read them, and their sums: what has no known price is unknown, and so is what it adds up to."""

from collections.abc import Iterable


def total_usd(amounts: Iterable[float | None]) -> float | None:
    """The sum, or None where one of the amounts is unknown."""
    total = 0.0
    for amount in amounts:
        if amount is None:
            return None
        total += amount
    return total


def in_hours(value: float | None, *, decimals: int = 2) -> str:
    """`0.25`, or `unknown` where nobody knows how long it takes."""
    return "unknown" if value is None else f"{value:,.{decimals}f}"


def usd(value: float | None) -> str:
    """`$1,234.50`, or `unknown` where no price is known."""
    return "unknown" if value is None else f"${value:,.2f}"
