"""What a run computes, resolved once: the model's architecture, and the recipe's training of it as a job."""

from dataclasses import dataclass

from tunestack.catalogue.gpus import Gpu
from tunestack.settings.loading import Settings
from tunestack.settings.recipe import Recipe
from tunestack.sizing.job.fine_tuning import FineTuning
from tunestack.sizing.job.recipe_job import job_of_recipe
from tunestack.sizing.model.architecture import Architecture
from tunestack.sizing.model.model_config import ModelConfigError
from tunestack.sizing.model.model_source import find_model


@dataclass(frozen=True, kw_only=True)
class Workload:
    """Settings with what they mean: `architecture` is None where neither they nor the presets know the model."""

    settings: Settings
    architecture: Architecture | None
    job: FineTuning

    @property
    def recipe(self) -> Recipe:
        return self.settings.recipe

    @property
    def region(self) -> str:
        return self.settings.environment.region

    def job_on(self, gpu: Gpu | None) -> FineTuning:
        """The training as a GPU runs it; as a newer one does where it isn't known."""
        return self.job.on(has_bfloat16=gpu is None or gpu.has_bfloat16)

    @property
    def training_tokens(self) -> float:
        """Tokens of the whole training: the data set's × epochs, or what `max_steps` steps see."""
        training, job = self.recipe.training, self.job
        whole = self.settings.environment.costs.training_tokens * training.num_train_epochs
        if training.max_steps > 0:
            rows = training.max_steps * job.per_device_train_batch_size * job.gradient_accumulation_steps
            return float(min(rows * job.max_length, whole))
        return float(whole)


def workload_of(settings: Settings, architecture: Architecture | None = None) -> Workload:
    """The workload of an environment's settings; `architecture`: of another model than the recipe's."""
    return Workload(
        settings=settings,
        architecture=architecture or architecture_of(settings),
        job=job_of_recipe(settings.recipe),
    )


def architecture_of(settings: Settings) -> Architecture | None:
    """The recipe's model, from the settings' `costs.config_json` or the presets; None where neither knows it.

    Raises:
        ModelConfigError: the settings name a file that can't be sized.
    """
    named = settings.environment.costs.config_json
    try:
        return find_model(named or settings.recipe.model.name_or_path)
    except ModelConfigError:
        if named:
            raise
        return None
