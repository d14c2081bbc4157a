"""The SageMaker instance types: what each one has, and which kinds of job may use it."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Literal

from tunestack.catalogue.gpus import Gpu, find_gpu
from tunestack.errors import nearest

JobKind = Literal["training", "processing", "transform", "hosting"]
JOB_KINDS: tuple[JobKind, ...] = ("training", "processing", "transform", "hosting")


@dataclass(frozen=True, kw_only=True)
class InstanceType:
    """One SageMaker instance type; memory in GiB and local disk in GB, as AWS states them."""

    name: str
    vcpu: int
    memory_gib: float
    gpus: int
    gpu_model: str | None
    gpu_memory_gib_each: float | None
    local_nvme_gb: float
    network_gbps: float
    allowed_for: frozenset[JobKind]

    @property
    def gpu(self) -> Gpu | None:
        """What each of its GPUs is, or None where it has none that the catalogue knows."""
        return find_gpu(self.gpu_model, self.gpu_memory_gib_each) if self.gpu_model else None

    @property
    def has_local_storage(self) -> bool:
        """Whether its disk is local NVMe, encrypted by hardware: a job can't name a volume key then."""
        return self.local_nvme_gb > 0


@cache
def instance_types() -> Mapping[str, InstanceType]:
    """Every instance type of the catalogue, by name."""
    # The table's other rows are prices of further regions.
    return MappingProxyType({row["instance_type"]: _parse(row) for row in table_rows() if row["vcpu"]})


def find_instance(name: str) -> InstanceType | None:
    """The instance type of that name, or None where the catalogue has none."""
    return instance_types().get(name)


@cache
def left_out() -> Mapping[str, str]:
    """The families of SageMaker's instance types that the catalogue is without, by name, each with the reason."""
    table = files("tunestack.catalogue").joinpath("data/left_out.csv")
    with table.open(encoding="utf-8") as lines:
        return MappingProxyType({row["family"]: row["reason"] for row in csv.DictReader(lines)})


def unknown_instance(name: str) -> str:
    """What to say of a type that isn't in the catalogue: why it isn't, or what is near."""
    if reason := left_out().get(name.removeprefix("ml.").partition(".")[0]):
        return f"{name!r} isn't in the catalogue: {reason}"
    return f"unknown instance type {name!r}; {nearest(name, instance_types())}"


@cache
def table_rows() -> tuple[dict[str, str], ...]:
    """The catalogue's table as it lies on disk, one row per instance type and region."""
    table = files("tunestack.catalogue").joinpath("data/instances.csv")
    with table.open(encoding="utf-8") as lines:
        return tuple(csv.DictReader(lines))


def _parse(row: dict[str, str]) -> InstanceType:
    return InstanceType(
        name=row["instance_type"],
        vcpu=int(row["vcpu"]),
        memory_gib=float(row["memory_gib"]),
        gpus=int(row["gpus"] or 0),
        gpu_model=row["gpu_model"] or None,
        gpu_memory_gib_each=float(row["gpu_memory_gib_each"]) if row["gpu_memory_gib_each"] else None,
        local_nvme_gb=float(row["local_nvme_gb"] or 0),
        network_gbps=float(row["network_gbps"] or 10),
        allowed_for=frozenset(kind for kind in JOB_KINDS if row[f"{kind}_ok"] == "y"),
    )
