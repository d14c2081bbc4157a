"""Dollars as people read them."""


def usd(value: float | None) -> str:
    """`$1,234.50`, or `unknown` where no price is known."""
    return "unknown" if value is None else f"${value:,.2f}"
