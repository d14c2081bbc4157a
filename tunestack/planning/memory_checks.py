"""Whether each job's model fits where the job runs: in its GPU, or in its host's memory."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace

from tunestack.catalogue import InstanceType, JobKind, find_instance, find_instance_price, instance_types
from tunestack.costs.workload import Workload
from tunestack.jobs import MemoryUse
from tunestack.planning.blueprint import Blueprint
from tunestack.planning.plan import make_plans
from tunestack.planning.request import PlanRequest
from tunestack.settings.problems import Problem
from tunestack.sizing.calibrated import calibrated_memory
from tunestack.sizing.job.recipe_job import DTYPES
from tunestack.sizing.memory.estimate import GIB, MemoryEstimate
from tunestack.sizing.memory.inference_memory import Inference, inference_memory
from tunestack.sizing.memory.serving_memory import package_needs
from tunestack.sizing.memory.training_memory import training_memory
from tunestack.sizing.model.architecture import Architecture
from tunestack.sizing.precision import Dtype, Quantization

# Of a host's memory, what the system and the Python processes leave.
HOST_SHARE = 0.95
# What training_code computes in where the recipe leaves it open: on a GPU, and without one.
ON_GPU: Dtype = "bf16"
ON_HOST: Dtype = "fp32"


def memory_problems(blueprint: Blueprint) -> Iterator[Problem]:
    """Every job whose model is surely too large for an instance type that it may run on."""
    workload = blueprint.workload
    if workload.architecture is None:
        return
    users = Counter(defined.job.setting for defined in blueprint.jobs)
    for defined in blueprint.jobs:
        if defined.job.memory is None:
            continue
        check = _CHECKS[defined.job.memory]
        for name in defined.instance_choices:
            instance = find_instance(name)
            if instance and (message := check(workload, workload.architecture, instance)):
                setting = defined.job.setting
                who = f"{name} for {defined.step}" if users[setting] > 1 else name
                yield Problem(file=workload.settings.file, key=f"jobs.{setting}", message=f"{who}: {message}")


def _training(workload: Workload, architecture: Architecture, instance: InstanceType) -> str | None:
    gpu = instance.gpu
    if gpu is None:
        return f"has no GPU of NVIDIA's, which the training needs; {_what_works(workload, architecture)}"
    if not gpu.has_bfloat16 and workload.recipe.quantization.bnb_4bit_compute_dtype == "bfloat16":
        return (
            f"its {gpu.name} has no bfloat16, which quantization.bnb_4bit_compute_dtype asks for; auto computes in "
            "float32 there"
        )
    needs = calibrated_memory(training_memory(architecture, workload.job_on(gpu)), instance.name)
    if not (short := _too_small(instance, needs.allocated_bytes, needs)):
        return None
    return f"the training {short}; {_what_works(workload, architecture)}"


def _scoring(workload: Workload, architecture: Architecture, instance: InstanceType) -> str | None:
    rows = workload.recipe.evaluation.batch_size
    scoring = Inference(
        batch=rows,
        max_length=workload.recipe.training.max_length,
        quantization=_trained_quantization(workload),
        logits_of_prompt=True,
        fp32_logits=True,
    )
    needs = inference_memory(architecture, scoring)
    if not (short := _too_small(instance, needs.allocated_bytes, needs)):
        return None
    return (
        f"scoring {rows} rows at a time {short}; a smaller evaluation.batch_size in the recipe, or a type with more "
        "memory, works"
    )


def _fusing(workload: Workload, architecture: Architecture, instance: InstanceType) -> str | None:
    package = workload.recipe.package
    if not package.fuse:
        return None
    needs = package_needs(architecture, dtype=DTYPES[package.save_dtype])
    # On a GPU the model is fused there, and only written from the host.
    needed_bytes = needs.gpu_memory_bytes if instance.gpus else needs.host_memory_bytes
    if not (short := _too_small(instance, needed_bytes)):
        return None
    return f"fusing the model {short}; {_enough_memory(workload, 'processing', needs.host_memory_bytes)}"


def _answering(workload: Workload, architecture: Architecture, instance: InstanceType) -> str | None:
    needs = inference_memory(architecture, _serving(workload, ON_GPU if instance.gpus else ON_HOST))
    if not (short := _too_small(instance, needs.allocated_bytes, needs)):
        return None
    on_host = inference_memory(architecture, _serving(workload, ON_HOST))
    return f"serving the model {short}; {_enough_memory(workload, 'transform', on_host.allocated_bytes)}"


_CHECKS: dict[MemoryUse, Callable[[Workload, Architecture, InstanceType], str | None]] = {
    "training": _training,
    "scoring": _scoring,
    "fusing": _fusing,
    "serving": _answering,
}


def _serving(workload: Workload, default: Dtype) -> Inference:
    """Fused weights as they are; an adapter on its base, quantised as in training. Rows as long as in training."""
    recipe = workload.recipe
    dtype = DTYPES.get(recipe.quantization.bnb_4bit_compute_dtype, default)
    return Inference(
        batch=recipe.inference.batch_size,
        max_length=recipe.training.max_length + recipe.inference.max_new_tokens,
        weight_dtype=dtype,
        cache_dtype=dtype,
        quantization="none" if recipe.package.fuse else _trained_quantization(workload),
    )


def _trained_quantization(workload: Workload) -> Quantization:
    quantization = workload.recipe.quantization
    return quantization.bnb_4bit_quant_type if quantization.load_in_4bit else "none"


def _too_small(instance: InstanceType, needed_bytes: float, needs: MemoryEstimate | None = None) -> str | None:
    """What a job needs of how much, where it surely doesn't fit the GPU, or the host where there is none."""
    if instance.gpu is not None:
        room = f"the {instance.gpu.usable_gib:.1f} GiB of its {instance.gpu.name}"
        if needs is not None and needs.fits(instance.gpu.usable_bytes) == "no":
            return f"needs {needs.range_gib} of {room}"
        if needs is None and needed_bytes > instance.gpu.usable_bytes:
            return f"needs about {needed_bytes / GIB:.0f} GiB of {room}"
        return None
    if instance.gpus or needed_bytes / GIB <= instance.memory_gib * HOST_SHARE:
        return None
    return f"needs about {needed_bytes / GIB:.0f} GiB of memory, it has {instance.memory_gib:g}"


def _enough_memory(workload: Workload, kind: JobKind, needed_bytes: float) -> str:
    """The cheapest type without a GPU that has the memory."""
    found = [
        (price.usd, instance.name)
        for instance in instance_types().values()
        if kind in instance.allowed_for and not instance.gpus
        if needed_bytes / GIB <= instance.memory_gib * HOST_SHARE
        if (price := find_instance_price(instance.name, kind, region=workload.region))
    ]
    if not found:
        return "no type without a GPU whose price is known has so much; package.fuse: false needs less"
    return f"{min(found)[1]} is the cheapest type without a GPU that has it"


def _what_works(workload: Workload, architecture: Architecture) -> str:
    request = PlanRequest(
        architecture=architecture,
        job=workload.job,
        tokens=round(workload.training_tokens),
        region=workload.region,
        fixed_micro_batch=True,
        max_instances=1,
    )
    on_one_gpu = [plan for plan in make_plans(request).plans if plan.instance.gpus == 1]
    if on_one_gpu:
        return f"{on_one_gpu[0].instance.name} is the cheapest type that it fits"
    smaller = replace(request.job, per_device_train_batch_size=1, max_length=min(request.job.max_length, 1024))
    least = training_memory(architecture, smaller)
    return f"no single GPU fits it; with one row of 1,024 tokens it would need {least.device_bytes / GIB:.0f} GiB"
