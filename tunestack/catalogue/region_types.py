"""CloudFormation's resource types by region: which of those that the kit's stacks hold a region doesn't have.

`data/region_types.csv` is written by `python -m scripts.region_types` from the schemas that AWS publishes for each
region, as cfn-lint 1.58 has them (2026-11).
"""

import csv
from collections.abc import Iterable
from functools import cache
from importlib.resources import files

from tunestack.catalogue.regions import REGIONS, partition_of


@cache
def missing_regions() -> dict[str, frozenset[str]]:
    """Type → the regions that lack it, of every type that the kit's stacks hold."""
    table = files("tunestack.catalogue").joinpath("data/region_types.csv")
    with table.open(encoding="utf-8") as lines:
        return {row["resource_type"]: frozenset(row["missing_in"].split()) for row in csv.DictReader(lines)}


def lacking(region: str, types: Iterable[str]) -> list[str]:
    """Those of the types that a region lacks, sorted; a type that isn't the kit's isn't known here."""
    return sorted({kind for kind in types if region in missing_regions().get(kind, ())})


def nearest_region(region: str, types: Iterable[str]) -> str | None:
    """A region of the same partition that has all of the types: of the same continent, if one has."""
    wanted = tuple(types)
    found = [other for other in REGIONS if partition_of(other) == partition_of(region) and not lacking(other, wanted)]
    area = region.partition("-")[0]
    near = (other for other in found if other.startswith(f"{area}-"))
    return next(near, "us-east-1" if "us-east-1" in found else next(iter(found), None))
