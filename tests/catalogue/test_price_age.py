"""How old a price is, whatever its source says of its date."""

from datetime import date

import pytest

from tunestack.catalogue.prices import Price

TODAY = date(2026, 11, 24)


@pytest.mark.parametrize(
    ("as_of", "stale"),
    [
        ("2026-09-27", False),
        ("2026-05-28", False),
        ("2026-05-27", True),
        ("2026-08; 2026-09-20", False),
        ("2026-08", False),
        ("2023-12", True),
        ("2026 (region not stated)", False),
        ("undated test fixture", True),
    ],
)
def test_a_price_is_old_after_half_a_year_and_when_nobody_says_its_date(as_of: str, stale: bool) -> None:
    price = Price(item="ml.g5.xlarge", unit="hour", usd=1, region="us-east-1", as_of=as_of, source="a test")
    assert price.is_stale(TODAY) is stale
