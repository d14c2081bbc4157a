"""The prices: dated snapshots of facts, one a row. A price that no source gives stays unknown."""

import csv
import re
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib.resources import files

from tunestack.catalogue.instances import JobKind, table_rows
from tunestack.catalogue.refreshed_prices import refreshed_prices

STALE_AFTER = timedelta(days=180)
_DATE = re.compile(r"\b(20\d\d)(?:-(0[1-9]|1[0-2]))?(?:-(0[1-9]|[12]\d|3[01]))?\b")


@dataclass(frozen=True, kw_only=True)
class Price:
    """What one unit of an item costs in a region, and who says so since when."""

    item: str
    unit: str
    usd: float
    region: str
    as_of: str
    source: str
    # A list price stands for all kinds of job at once and can differ by some per cent from the job's own.
    exact: bool = True

    def is_stale(self, today: date) -> bool:
        """Whether it may have changed since it was read: AWS cut p4d by a third in June 2025. An undated one may."""
        read = max((_last_day(*found.groups()) for found in _DATE.finditer(self.as_of)), default=date.min)
        return read + STALE_AFTER < today


def find_instance_price(instance_type: str, kind: JobKind, *, region: str) -> Price | None:
    """The price of an instance-hour for that kind of job; the list price where the job's own is unknown."""
    if refreshed := refreshed_prices().get((region, instance_type, kind)):
        return Price(
            item=instance_type,
            unit="hour",
            usd=refreshed.usd_per_hour,
            region=region,
            as_of=refreshed.as_of,
            source=refreshed.source,
        )
    for row in table_rows():
        if row["instance_type"] != instance_type or row["region"] != region:
            continue
        if own := row[f"sagemaker_{kind}_usd_h"]:
            return _instance_price(row, own, row["component_price_as_of"], row["component_price_source"])
        if listed := row["sagemaker_list_usd_h_component_unspecified"]:
            return _instance_price(row, listed, row["list_as_of"], row["list_source"], exact=False)
    return None


def _last_day(year: str, month: str | None, day: str | None) -> date:
    """The day, or the last that a month or year without one may mean; the 28th stands for a month's end."""
    return date(int(year), int(month or 12), min(int(day or 28), 28))


def find_price(service: str, item: str, *, region: str) -> Price | None:
    """The price of a service's item in a region, or None where the snapshot has none."""
    return _service_prices().get((service, item, region))


def _instance_price(row: dict[str, str], usd: str, as_of: str, source: str, *, exact: bool = True) -> Price:
    return Price(
        item=row["instance_type"],
        unit="hour",
        usd=float(usd),
        region=row["region"],
        as_of=as_of,
        source=source,
        exact=exact,
    )


@cache
def _service_prices() -> dict[tuple[str, str, str], Price]:
    table = files("tunestack.catalogue").joinpath("data/prices.csv")
    with table.open(encoding="utf-8") as lines:
        rows = [row for row in csv.DictReader(lines) if row["usd"]]
    return {
        (row["service"], row["item"], row["region"]): Price(
            item=f"{row['service']} {row['item']}",
            unit=row["unit"],
            usd=float(row["usd"]),
            region=row["region"],
            as_of=row["as_of"],
            source=row["source"],
        )
        for row in rows
    }


@cache
def regions() -> tuple[str, ...]:
    """The regions that the snapshot has instance prices of."""
    shipped = {row["region"] for row in table_rows() if row["region"]}
    return tuple(sorted({*shipped, *(region for region, _, _ in refreshed_prices())}))
