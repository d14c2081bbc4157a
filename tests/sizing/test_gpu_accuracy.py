"""The memory model against trainings of this kit's own on an H200 and an H100, those sharded over ranks that weren't
there, and the throughput of those that ran alone.
"""

import json

import pytest
from tunestack_training.options import recipe_from_options

from benchmarks import gpu_accuracy, sharded_accuracy
from benchmarks.spread import spread
from tests.conftest import ROOT
from tests.sizing.jobs import model
from tunestack.catalogue.gpus import find_gpu
from tunestack.sizing.job.recipe_job import job_of_recipe
from tunestack.sizing.speed.throughput import Work, throughput

DATA = ROOT / "benchmarks" / "data"
FIRST, BLIND, OTHER = (gpu_accuracy.read(DATA / f"gpu_{name}.csv") for name in ("first", "blind", "other"))


@pytest.mark.parametrize(
    ("trainings", "count"), [(FIRST, 34), (BLIND, 16), (OTHER, 14)], ids=["first", "blind", "other"]
)
def test_peaks_of_our_own_trainings_are_near_and_mostly_inside_the_range(
    trainings: list[gpu_accuracy.Measured], count: int
) -> None:
    assert len(trainings) == count
    allocated = spread([item.error("allocated") for item in trainings])
    assert allocated.median < 0.05 and allocated.worst < 0.12
    device = spread([item.error("device") for item in trainings])
    assert device.median < 0.05 and device.p90 < 0.30
    assert sum(item.is_inside for item in trainings) / len(trainings) >= 0.85


@pytest.mark.parametrize(("table", "count"), [("gpu_sharded.csv", 10), ("gpu_sharded_blind.csv", 3)])
def test_peaks_of_a_rank_under_fsdp2_are_near_in_what_is_allocated_and_what_is_reserved(table: str, count: int) -> None:
    cases = sharded_accuracy.read(DATA / table)
    assert len(cases) == count
    for item in cases:
        assert item.error("allocated") == pytest.approx(0, abs=0.03), item.row["name"]
        assert item.error("reserved") == pytest.approx(0, abs=0.04), item.row["name"]


def test_the_speed_of_what_ran_alone_is_inside_its_range_launch_bound_or_not() -> None:
    gpu = find_gpu("H200")
    assert gpu is not None
    inside = []
    for item in (*FIRST, *BLIND):
        if item.row["alone"] == "yes":
            job = job_of_recipe(recipe_from_options(json.loads(item.row["options"])))
            rate = throughput(Work.of(model(item.row["model"])), job, gpu)
            inside.append(rate.low <= float(item.row["tokens_per_second"]) <= rate.high)
    assert len(inside) == 9 and all(inside)
