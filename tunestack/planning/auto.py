"""`auto` in a recipe: the batch that surely fits, chosen at synth, so that the deployed definition has numbers."""

from dataclasses import replace

from tunestack.catalogue import find_instance
from tunestack.catalogue.gpus import Gpu
from tunestack.catalogue.models import model_configs
from tunestack.costs.workload import Workload
from tunestack.errors import nearest
from tunestack.planning.candidates import MICRO_BATCHES
from tunestack.settings.problems import Problem, SettingsError
from tunestack.sizing.job.recipe_job import AUTO, ROWS_A_STEP
from tunestack.sizing.memory.training_memory import training_memory
from tunestack.sizing.model.architecture import Architecture


def resolve_auto(workload: Workload) -> Workload:
    """The workload with `auto` replaced: the largest batch that fits every instance type that a run may choose.

    Raises:
        SettingsError: the model isn't known, so that nothing can be chosen for it.
    """
    training = workload.recipe.training
    batch, accumulation = training.per_device_train_batch_size, training.gradient_accumulation_steps
    if AUTO not in (batch, accumulation):
        return workload
    batch = _largest_batch(workload) if batch == "auto" else batch
    steps = max(1, round(ROWS_A_STEP / batch)) if accumulation == "auto" else accumulation
    chosen = {"per_device_train_batch_size": batch, "gradient_accumulation_steps": steps}
    recipe = workload.recipe.model_copy(update={"training": training.model_copy(update=chosen)})
    return replace(
        workload,
        settings=replace(workload.settings, recipe=recipe),
        job=replace(workload.job, per_device_train_batch_size=batch, gradient_accumulation_steps=steps),
    )


def _largest_batch(workload: Workload) -> int:
    architecture, settings = workload.architecture, workload.settings
    if architecture is None:
        name = settings.recipe.model.name_or_path
        message = (
            f"auto needs a model that is known, {name} isn't: {nearest(name, model_configs())}, or name its "
            "config.json under costs.config_json"
        )
        key = "training.per_device_train_batch_size"
        raise SettingsError([Problem(file=settings.recipe_file, key=key, message=message)])
    found = (find_instance(name) for name in settings.environment.jobs.train.instance_choices)
    gpus = [instance.gpu for instance in found if instance and instance.gpu]
    for batch in MICRO_BATCHES:
        if all(_surely_fits(workload, architecture, gpu, batch) for gpu in gpus):
            return batch
    return min(MICRO_BATCHES)


def _surely_fits(workload: Workload, architecture: Architecture, gpu: Gpu, batch: int) -> bool:
    job = replace(workload.job_on(gpu), per_device_train_batch_size=batch)
    return training_memory(architecture, job).fits(gpu.usable_bytes) == "yes"
