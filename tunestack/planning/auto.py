"""`auto` in a recipe: the batch that surely fits, chosen at synth, so that the deployed definition has numbers."""

from dataclasses import replace

from tunestack.catalogue import find_instance
from tunestack.costs.job_hours import architecture_of
from tunestack.planning.candidates import MICRO_BATCHES
from tunestack.settings import Problem, Settings, SettingsError
from tunestack.sizing.job.recipe_job import AUTO, ROWS_A_STEP, job_of_recipe
from tunestack.sizing.memory.training_memory import training_memory


def resolve_auto(settings: Settings) -> Settings:
    """The settings with `auto` replaced: the largest batch that fits every instance type that a run may choose.

    Raises:
        SettingsError: the model isn't known, so that nothing can be chosen for it.
    """
    training = settings.recipe["training"]
    batch, accumulation = training["per_device_train_batch_size"], training["gradient_accumulation_steps"]
    if AUTO not in (batch, accumulation):
        return settings
    if batch == AUTO:
        batch = _largest_batch(settings)
    if accumulation == AUTO:
        accumulation = max(1, round(ROWS_A_STEP / batch))
    chosen = {**training, "per_device_train_batch_size": batch, "gradient_accumulation_steps": accumulation}
    return replace(settings, recipe={**settings.recipe, "training": chosen})


def _largest_batch(settings: Settings) -> int:
    architecture = architecture_of(settings)
    if architecture is None:
        model = settings.recipe["model"]["name_or_path"]
        message = f"auto needs a model that is known, {model} isn't: name its config.json under costs.config_json"
        key = "training.per_device_train_batch_size"
        raise SettingsError([Problem(file=f"config/recipes/{settings.environment.recipe}", key=key, message=message)])
    job = job_of_recipe(settings.recipe)
    found = (find_instance(name) for name in settings.environment.jobs.train.instance_choices)
    gpus = [instance.gpu for instance in found if instance and instance.gpu]
    for batch in MICRO_BATCHES:
        memory = training_memory(architecture, replace(job, micro_batch=batch))
        if all(memory.fits(gpu.usable_bytes) == "yes" for gpu in gpus):
            return batch
    return min(MICRO_BATCHES)
