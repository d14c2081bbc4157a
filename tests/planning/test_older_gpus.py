"""GPUs without bfloat16 compute in fp32, which takes twice the memory and more than eight times the time."""

from dataclasses import replace

from tests.changed_settings import changed
from tests.planning.test_checks import lines, train_on
from tunestack.catalogue.gpus import GPUS, find_gpu
from tunestack.costs.job_hours import training_hours
from tunestack.costs.workload import workload_of
from tunestack.settings.loading import load_settings
from tunestack.sizing.memory.training_memory import training_memory


def test_they_are_the_t4_and_the_v100() -> None:
    assert {gpu.name for gpu in GPUS if not gpu.has_bfloat16} == {"T4", "V100"}


def test_auto_and_bfloat16_are_fp32_there_and_float16_stays() -> None:
    job = workload_of(load_settings("prod")).job
    older = job.on(has_bfloat16=False)
    assert (older.compute_dtype, older.weight_dtype) == ("fp32", "fp32")
    half = replace(job, compute_dtype="fp16", weight_dtype="fp16")
    assert half.on(has_bfloat16=False) == replace(half, has_flash_kernel=False)
    assert job.on(has_bfloat16=True) == job and not older.has_flash_kernel


def test_what_fits_in_bf16_and_not_in_fp32_is_refused_and_costs_its_time() -> None:
    recipe = {"training": {"max_length": 2048, "per_device_train_batch_size": 4}}
    on_t4 = lines(changed(jobs=train_on("ml.g4dn.xlarge"), recipe=recipe))
    assert any("jobs.train: ml.g4dn.xlarge: the training needs" in line and "of its T4" in line for line in on_t4)
    workload = workload_of(changed(recipe=recipe))
    t4 = find_gpu("T4")
    assert t4 and workload.architecture
    in_bf16 = training_memory(workload.architecture, workload.job)
    assert in_bf16.fits(t4.usable_bytes) == "tight"
    slow, fast = (training_hours(workload, f"ml.{name}.xlarge") for name in ("g4dn", "g5"))
    assert slow and fast and slow.expected > 8 * fast.expected


def test_bfloat16_by_name_is_refused_as_the_container_would() -> None:
    (found,) = [
        line
        for line in lines(
            changed(jobs=train_on("ml.p3.2xlarge"), recipe={"quantization": {"bnb_4bit_compute_dtype": "bfloat16"}})
        )
        if "bfloat16" in line
    ]
    assert "its V100 has no bfloat16" in found and "auto computes in float32 there" in found
