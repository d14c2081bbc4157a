"""Writes `catalogue/data/region_types.csv` anew, for the types in it and those that are named: which regions lack each.

python -m scripts.region_types [AWS::Service::Type …]
"""

import csv
import sys
from pathlib import Path

from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

from tunestack.catalogue.region_types import missing_regions
from tunestack.catalogue.regions import REGIONS

FILE = Path(__file__).parents[1] / "tunestack" / "catalogue" / "data" / "region_types.csv"


def rows(types: set[str]) -> list[dict[str, str]]:
    """A row for each type, with the regions that lack it."""
    known = {region: frozenset(PROVIDER_SCHEMA_MANAGER.get_resource_types(region)) for region in REGIONS}
    return [
        {"resource_type": kind, "missing_in": " ".join(region for region in REGIONS if kind not in known[region])}
        for kind in sorted(types)
    ]


def main() -> None:
    """Write the file."""
    made = rows({*missing_regions(), *sys.argv[1:]})
    with FILE.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ["resource_type", "missing_in"], lineterminator="\n")
        writer.writeheader()
        writer.writerows(made)


if __name__ == "__main__":
    main()
