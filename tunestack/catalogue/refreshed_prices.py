"""Instance prices that `tunestack prices refresh` has read from AWS: used before the shipped ones."""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from io import StringIO
from pathlib import Path
from typing import cast, get_args

from tunestack.catalogue.instances import JobKind
from tunestack.errors import UserError
from tunestack.files import write_whole

FILE = Path(__file__).with_name("data") / "refreshed_prices.csv"
COLUMNS = ("region", "instance_type", "kind", "usd_per_hour", "as_of", "source")
REFRESH = "`tunestack prices refresh` writes it again"
Key = tuple[str, str, JobKind]


@dataclass(frozen=True, kw_only=True)
class RefreshedPrice:
    """One price of an instance-hour, as the price list has it."""

    region: str
    instance_type: str
    kind: JobKind
    usd_per_hour: float
    as_of: str
    source: str

    @property
    def key(self) -> Key:
        return (self.region, self.instance_type, self.kind)


@cache
def refreshed_prices() -> Mapping[Key, RefreshedPrice]:
    """The refreshed prices by region, type and kind of job; none where there was no refresh.

    Raises:
        UserError: the file is truncated or was edited into something else.
    """
    if not FILE.exists():
        return {}
    with FILE.open(encoding="utf-8", newline="") as lines:
        reader = csv.DictReader(lines)
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise UserError(f"{FILE}: must have the columns {', '.join(COLUMNS)}; {REFRESH}")
        return {price.key: price for price in (_parse(reader.line_num, row) for row in reader)}


def write_refreshed(prices: Iterable[RefreshedPrice]) -> None:
    """Replace the file, whole or not at all."""
    out = StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for price in sorted(prices, key=lambda item: item.key):
        writer.writerow([getattr(price, column) for column in COLUMNS])
    write_whole(FILE, out.getvalue())
    refreshed_prices.cache_clear()


def _parse(line: int, row: Mapping[str, str | None]) -> RefreshedPrice:
    try:
        usd = float(row["usd_per_hour"] or "")
    except ValueError:
        usd = 0.0
    if usd <= 0 or not all(row[column] for column in COLUMNS) or row["kind"] not in get_args(JobKind):
        raise UserError(f"{FILE}:{line}: a truncated or changed row; {REFRESH}")
    text = {column: str(row[column]) for column in COLUMNS if column not in ("kind", "usd_per_hour")}
    return RefreshedPrice(kind=cast(JobKind, row["kind"]), usd_per_hour=usd, **text)
