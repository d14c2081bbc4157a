"""How long each job of a run takes, from the recipe and the machine: low, expected, high."""

from dataclasses import dataclass

from tunestack.catalogue import find_instance
from tunestack.catalogue.assumptions import START_UP_HOURS
from tunestack.settings import Settings
from tunestack.sizing.job.recipe_job import job_of_recipe
from tunestack.sizing.model.architecture import Architecture
from tunestack.sizing.model.model_config import ModelConfigError
from tunestack.sizing.model.model_source import find_model
from tunestack.sizing.throughput import HIGH, LOW, Work, throughput

# What a small job takes beyond its start, for a data set of some thousand rows.
SMALL_JOB_HOURS = 5 / 60
# Staging a model from S3 and writing one back, on the smaller machines.
GB_PER_HOUR = 0.15 * 3600


@dataclass(frozen=True, kw_only=True)
class Hours:
    """A job's billed hours: expected, and the bounds of what its settings leave open."""

    low: float
    expected: float
    high: float

    def plus(self, hours: float) -> "Hours":
        return Hours(low=self.low + hours, expected=self.expected + hours, high=self.high + hours)


def architecture_of(settings: Settings) -> Architecture | None:
    """The recipe's model, from the settings' `costs.config_json` or the presets; None where neither knows it."""
    source = settings.environment.costs.config_json or settings.recipe["model"]["name_or_path"]
    try:
        return find_model(source)
    except ModelConfigError:
        if settings.environment.costs.config_json:
            raise
        return None


def training_tokens(settings: Settings) -> float:
    """Tokens of the whole training: the data set's × epochs, or what `max_steps` steps see."""
    training, costs = settings.recipe["training"], settings.environment.costs
    whole = costs.training_tokens * training["num_train_epochs"]
    if training["max_steps"] > 0:
        job = job_of_recipe(settings.recipe)
        seen = training["max_steps"] * job.micro_batch * job.gradient_accumulation * job.sequence_length
        return float(min(seen, whole))
    return float(whole)


def training_hours(settings: Settings, instance_type: str, architecture: Architecture | None) -> Hours:
    """FineTune's hours on an instance type; `training_code` trains on one GPU."""
    instance = find_instance(instance_type)
    gpu = instance.gpu if instance else None
    if architecture is None or gpu is None:
        return _small()
    rate = throughput(Work.of(architecture), job_of_recipe(settings.recipe), gpu)
    hours = training_tokens(settings) / 3600
    trained = Hours(low=hours / rate.high, expected=hours / rate.tokens_per_second, high=hours / rate.low)
    return trained.plus(START_UP_HOURS + _moved_gb(architecture) / GB_PER_HOUR)


def evaluation_hours(settings: Settings, instance_type: str, architecture: Architecture | None) -> Hours:
    """EvaluateModels': two models over two sets forward, and their generated answers token by token."""
    evaluation, training = settings.recipe["evaluation"], settings.recipe["training"]
    instance = find_instance(instance_type)
    gpu = instance.gpu if instance else None
    if architecture is None or gpu is None:
        return _small()
    # Forward costs a third of the training's FLOPs with recomputation.
    rate = 3 * throughput(Work.of(architecture), job_of_recipe(settings.recipe), gpu).tokens_per_second
    scored = 2 * 2 * evaluation["max_rows"] * training["max_length"] / rate
    # Each generated token reads all weights once, of a 16-bit model; a batch shares the reading.
    reading = 2 * architecture.active_parameters / (gpu.bandwidth_gb_per_s * 1e9 * 0.4)
    answers = 2 * 2 * evaluation["generated_rows"] / evaluation["batch_size"] * evaluation["max_new_tokens"]
    hours = (scored + answers * reading) / 3600
    spread = Hours(low=hours * LOW, expected=hours, high=hours / LOW * HIGH)
    return spread.plus(START_UP_HOURS + _moved_gb(architecture) / GB_PER_HOUR)


def packaging_hours(architecture: Architecture | None) -> Hours:
    """PackageModel's: the base is read, fused in fp32 and compressed."""
    if architecture is None:
        return _small()
    return _small().plus(4 * _moved_gb(architecture) / GB_PER_HOUR)


def small_job_hours() -> Hours:
    """PrepareData's and BatchTransform's, for some thousand rows."""
    return _small()


def _small() -> Hours:
    hours = START_UP_HOURS + SMALL_JOB_HOURS
    return Hours(low=hours * 0.5, expected=hours, high=hours * 2)


def _moved_gb(architecture: Architecture) -> float:
    return architecture.parameters * 2 / 1e9
