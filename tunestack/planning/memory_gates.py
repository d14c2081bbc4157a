"""Whether each job's model fits where the job runs: in its GPU, or in its host's memory."""

from collections.abc import Iterator
from dataclasses import replace

from tunestack.catalogue import InstanceType, JobKind, find_instance, find_instance_price, instance_types
from tunestack.costs.job_hours import training_tokens
from tunestack.planning.plan import make_plans
from tunestack.planning.request import PlanRequest
from tunestack.settings import Problem, Settings
from tunestack.settings.environment import Job, Jobs
from tunestack.sizing.job.recipe_job import job_of_recipe
from tunestack.sizing.memory.estimate import GIB, MemoryEstimate
from tunestack.sizing.memory.inference_memory import Inference, inference_memory
from tunestack.sizing.memory.serving_memory import merge_needs
from tunestack.sizing.memory.training_memory import training_memory
from tunestack.sizing.model.architecture import Architecture
from tunestack.sizing.precision import Dtype, Quantization

# Of a host's memory, what the system and the Python processes leave.
HOST_SHARE = 0.95
# What training_code computes in where the recipe leaves it open: on a GPU, and without one.
ON_GPU: Dtype = "bf16"
ON_HOST: Dtype = "fp32"
# Rows that the serving container answers at a time (training_code/tunestack_training/generation.py).
ANSWERED_AT_ONCE = 8
_DTYPES: dict[str, Dtype] = {"float32": "fp32", "bfloat16": "bf16", "float16": "fp16"}


def memory_problems(settings: Settings, architecture: Architecture) -> Iterator[Problem]:
    """Every job whose model is surely too large for an instance type that it may run on."""
    jobs, checks = settings.environment.jobs, (_training, _evaluation, _packaging, _transform)
    for (key, job), check in zip(_jobs(jobs), checks, strict=True):
        for name in job.instance_choices:
            instance = find_instance(name)
            if instance and (message := check(settings, architecture, instance)):
                yield Problem(file=f"config/{settings.name}.yaml", key=key, message=f"{name}: {message}")


def _jobs(jobs: Jobs) -> tuple[tuple[str, Job], ...]:
    return (
        ("jobs.train", jobs.train),
        ("jobs.evaluate", jobs.evaluate),
        ("jobs.register", jobs.registration),
        ("jobs.transform", jobs.transform),
    )


def _training(settings: Settings, architecture: Architecture, instance: InstanceType) -> str | None:
    needs = training_memory(architecture, job_of_recipe(settings.recipe))
    if not (short := _too_small(instance, needs.allocated_bytes, needs)):
        return None
    return f"the training {short}; {_what_works(settings, architecture)}"


def _evaluation(settings: Settings, architecture: Architecture, instance: InstanceType) -> str | None:
    rows = settings.recipe["evaluation"]["batch_size"]
    scoring = Inference(
        batch=rows,
        sequence_length=settings.recipe["training"]["max_length"],
        quantization=_trained_quantization(settings),
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


def _packaging(settings: Settings, architecture: Architecture, instance: InstanceType) -> str | None:
    merge = settings.recipe["merge"]
    if not merge["fuse"]:
        return None
    needs = merge_needs(architecture, dtype=_DTYPES[merge["save_dtype"]])
    # On a GPU the model is fused there, and only written from the host.
    needed_bytes = needs.gpu_memory_bytes if instance.gpus else needs.host_memory_bytes
    if not (short := _too_small(instance, needed_bytes)):
        return None
    return f"fusing the model {short}; {_enough_memory(settings, 'processing', needs.host_memory_bytes)}"


def _transform(settings: Settings, architecture: Architecture, instance: InstanceType) -> str | None:
    needs = inference_memory(architecture, _serving(settings, ON_GPU if instance.gpus else ON_HOST))
    if not (short := _too_small(instance, needs.allocated_bytes, needs)):
        return None
    on_host = inference_memory(architecture, _serving(settings, ON_HOST))
    return f"serving the model {short}; {_enough_memory(settings, 'transform', on_host.allocated_bytes)}"


def _serving(settings: Settings, default: Dtype) -> Inference:
    """Fused weights as they are; an adapter on its base, quantised as in training. Rows as long as in training."""
    recipe = settings.recipe
    dtype = _DTYPES.get(recipe["quantization"]["bnb_4bit_compute_dtype"], default)
    return Inference(
        batch=ANSWERED_AT_ONCE * settings.environment.jobs.transform.max_concurrent_transforms,
        sequence_length=recipe["training"]["max_length"] + recipe["inference"]["max_new_tokens"],
        weight_dtype=dtype,
        cache_dtype=dtype,
        quantization="none" if recipe["merge"]["fuse"] else _trained_quantization(settings),
    )


def _trained_quantization(settings: Settings) -> Quantization:
    quantization = settings.recipe["quantization"]
    kind: Quantization = quantization["bnb_4bit_quant_type"]
    return kind if quantization["load_in_4bit"] else "none"


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


def _enough_memory(settings: Settings, kind: JobKind, needed_bytes: float) -> str:
    """The cheapest type without a GPU that has the memory."""
    region = settings.environment.region
    found = [
        (price.usd, instance.name)
        for instance in instance_types().values()
        if kind in instance.allowed_for and not instance.gpus
        if needed_bytes / GIB <= instance.memory_gib * HOST_SHARE
        if (price := find_instance_price(instance.name, kind, region=region))
    ]
    if not found:
        return "no type without a GPU whose price is known has so much; merge.fuse: false needs less"
    return f"{min(found)[1]} is the cheapest type without a GPU that has it"


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
