"""Service quotas of SageMaker: which one a job counts against, by exact code and name, and its default."""

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

QuotaUse = Literal["training job", "spot training job", "processing job", "transform job"]


@dataclass(frozen=True, kw_only=True)
class Quota:
    """One service quota; `default` is None where no source gives it: new accounts often have 0 for GPU types."""

    code: str
    name: str
    default: float | None


def quota_name(instance_type: str, use: QuotaUse) -> str:
    """What the service calls the quota on how many instances of a type run at once for a kind of job."""
    return f"{instance_type} for {use} usage"


def total_name(use: QuotaUse) -> str:
    """What the service calls the quota on all instances together of a kind of job, whatever their types."""
    return f"Number of instances across all {use}s"


def find_quota(instance_type: str, use: QuotaUse) -> Quota | None:
    """The quota on an instance type for a kind of job, or None where none is known."""
    return _quotas().get(quota_name(instance_type, use))


def find_total(use: QuotaUse) -> Quota | None:
    """The quota on all instances of a kind of job, or None where none is known."""
    return _quotas().get(total_name(use))


@cache
def _quotas() -> dict[str, Quota]:
    table = files("tunestack.catalogue").joinpath("data/quotas.csv")
    with table.open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    return {
        row["quota_name"]: Quota(
            code=row["quota_code"],
            name=row["quota_name"],
            default=float(row["default_value"]) if row["default_value"] else None,
        )
        for row in rows
    }
