"""Whether each job's model fits where the job runs: in its GPU, or in its host's memory."""

from collections.abc import Iterator
from dataclasses import replace

from tunestack.catalogue import InstanceType, find_instance
from tunestack.costs.job_hours import training_tokens
from tunestack.planning.plan import make_plans
from tunestack.planning.request import PlanRequest
from tunestack.settings import Problem, Settings
from tunestack.settings.environment import Job
from tunestack.sizing.architecture import Architecture
from tunestack.sizing.estimate import GIB, MemoryEstimate
from tunestack.sizing.inference_memory import Inference, inference_memory
from tunestack.sizing.precision import Dtype, Quantization
from tunestack.sizing.recipe_job import job_of_recipe
from tunestack.sizing.serving_memory import merge_needs
from tunestack.sizing.training_memory import training_memory

# Of a host's memory, what the system and the Python processes leave.
HOST_SHARE = 0.95
# What training_code computes in where the recipe leaves it open: on a GPU, and without one.
ON_GPU: Dtype = "bf16"
ON_HOST: Dtype = "fp32"
_DTYPES: dict[str, Dtype] = {"float32": "fp32", "bfloat16": "bf16", "float16": "fp16"}


def memory_problems(settings: Settings, architecture: Architecture) -> Iterator[Problem]:
    """Every job whose model is too large for an instance type that it may run on."""
    yield from _training(settings, architecture)
    yield from _evaluation(settings, architecture)
    yield from _packaging(settings, architecture)
    yield from _transform(settings, architecture)


def _training(settings: Settings, architecture: Architecture) -> Iterator[Problem]:
    needs = training_memory(architecture, job_of_recipe(settings.recipe))
    for instance in _instances(settings.environment.jobs.train):
        if not _fits_gpu(needs, instance):
            yield _problem(
                settings,
                "jobs.train",
                f"{instance.name}: the training needs {_range(needs)} of {_gpu(instance)}; "
                f"{_what_works(settings, architecture)}",
            )


def _evaluation(settings: Settings, architecture: Architecture) -> Iterator[Problem]:
    rows = settings.recipe["evaluation"]["batch_size"]
    needs = inference_memory(
        architecture,
        Inference(
            batch=rows,
            sequence_length=settings.recipe["training"]["max_length"],
            quantization=_trained_quantization(settings),
            logits_of_prompt=True,
        ),
    )
    for instance in _instances(settings.environment.jobs.evaluate):
        if not _fits_gpu(needs, instance):
            yield _problem(
                settings,
                "jobs.evaluate",
                f"{instance.name}: scoring {rows} rows at a time needs {_range(needs)} of {_gpu(instance)}; a smaller "
                "evaluation.batch_size in the recipe, or a larger GPU, works",
            )


def _packaging(settings: Settings, architecture: Architecture) -> Iterator[Problem]:
    if not settings.recipe["merge"]["fuse"]:
        return
    dtype = _DTYPES[settings.recipe["merge"]["save_dtype"]]
    needed_gib = merge_needs(architecture, dtype=dtype).host_memory_bytes / GIB
    for instance in _instances(settings.environment.jobs.registration):
        if not instance.gpus and not _fits_host(needed_gib, instance):
            yield _problem(settings, "jobs.register", _too_large_for_host("fusing the model", needed_gib, instance))


def _transform(settings: Settings, architecture: Architecture) -> Iterator[Problem]:
    for instance in _instances(settings.environment.jobs.transform):
        needs = inference_memory(architecture, _serving(settings, ON_GPU if instance.gpus else ON_HOST))
        if instance.gpus and not _fits_gpu(needs, instance):
            yield _problem(
                settings,
                "jobs.transform",
                f"{instance.name}: serving the model needs {_range(needs)} of {_gpu(instance)}; a larger GPU works",
            )
        needed_gib = needs.allocated_bytes / GIB
        if not instance.gpus and not _fits_host(needed_gib, instance):
            yield _problem(settings, "jobs.transform", _too_large_for_host("serving the model", needed_gib, instance))


def _serving(settings: Settings, default: Dtype) -> Inference:
    """Fused weights as they are; an adapter on its base, quantised as in training."""
    recipe = settings.recipe
    dtype = _DTYPES.get(recipe["quantization"]["bnb_4bit_compute_dtype"], default)
    return Inference(
        sequence_length=recipe["training"]["max_length"] + recipe["inference"]["max_new_tokens"],
        weight_dtype=dtype,
        cache_dtype=dtype,
        quantization="none" if recipe["merge"]["fuse"] else _trained_quantization(settings),
    )


def _trained_quantization(settings: Settings) -> Quantization:
    quantization = settings.recipe["quantization"]
    kind: Quantization = quantization["bnb_4bit_quant_type"]
    return kind if quantization["load_in_4bit"] else "none"


def _instances(job: Job) -> Iterator[InstanceType]:
    for name in job.instance_choices:
        if instance := find_instance(name):
            yield instance


def _fits_gpu(needs: MemoryEstimate, instance: InstanceType) -> bool:
    """True also where there is no GPU to fit, or none that is known."""
    return instance.gpu is None or needs.fits(instance.gpu.usable_bytes) != "no"


def _fits_host(needed_gib: float, instance: InstanceType) -> bool:
    return needed_gib <= instance.memory_gib * HOST_SHARE


def _range(needs: MemoryEstimate) -> str:
    low, high = needs.low_bytes / GIB, needs.high_bytes / GIB
    return f"{needs.device_bytes / GIB:.1f} GiB ({low:.1f}–{high:.1f})"


def _gpu(instance: InstanceType) -> str:
    assert instance.gpu is not None
    return f"the {instance.gpu.usable_gib:.1f} GiB of its {instance.gpu.name}"


def _too_large_for_host(what: str, needed_gib: float, instance: InstanceType) -> str:
    return f"{instance.name}: {what} needs about {needed_gib:.0f} GiB of memory, it has {instance.memory_gib:g}"


def _problem(settings: Settings, key: str, message: str) -> Problem:
    return Problem(file=f"config/{settings.name}.yaml", key=key, message=message)


def _what_works(settings: Settings, architecture: Architecture) -> str:
    request = PlanRequest(
        architecture=architecture,
        job=job_of_recipe(settings.recipe),
        tokens=round(training_tokens(settings)),
        region=settings.environment.region,
        fixed_micro_batch=True,
        max_instances=1,
    )
    on_one_gpu = [plan for plan in make_plans(request).plans if plan.instance.gpus == 1]
    if on_one_gpu:
        return f"{on_one_gpu[0].instance.name} is the cheapest type that it fits"
    smaller = replace(request.job, micro_batch=1, sequence_length=min(request.job.sequence_length, 1024))
    least = training_memory(architecture, smaller)
    return f"no single GPU fits it; with one row of 1,024 tokens it would need {least.device_bytes / GIB:.0f} GiB"
