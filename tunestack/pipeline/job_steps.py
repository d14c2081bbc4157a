"""The table's jobs as steps of a pipeline: what each reads, writes, runs on and is told."""

from typing import Any

from tunestack import layout
from tunestack.catalogue import find_instance
from tunestack.jobs import EVALUATE, JOBS, PACKAGE, TRANSFORM, URI_PARAMETERS, Job, Made, Output, Uploaded
from tunestack.pipeline.expressions import EXECUTION_ID, Join, JsonGet, Parameter, ParameterType, PropertyFile
from tunestack.pipeline.job_defaults import Hardware
from tunestack.pipeline.recipe_parameters import CHECKPOINT_KEY, RecipeParameters, checkpoint_key
from tunestack.pipeline.resources import Resources
from tunestack.pipeline.steps import (
    Channel,
    CreateModelStep,
    JobStep,
    ProcessingInput,
    ProcessingOutput,
    ProcessingStep,
    Spot,
    TrainingStep,
    TransformStep,
)
from tunestack.pipeline.training_metrics import METRICS
from tunestack.settings.jobs import TrainJobSettings, TransformJobSettings
from tunestack.settings.loading import Settings

COMMAND = ("python", "-m", "tunestack_training")
# What PackageModel writes, and serving takes.
ARCHIVE = "model.tar.gz"
# What EvaluateModels says of what it judged (`training_code/tunestack_training/digests.py`), and PackageModel checks.
JUDGED = ("adapter", "base_model")
MODEL_SHA256 = "TUNESTACK_MODEL_SHA256"


class JobSteps:
    """Makes the steps in the table's order: a job comes after those that it reads from."""

    def __init__(self, settings: Settings, resources: Resources, recipe: RecipeParameters) -> None:
        self._settings, self._resources, self._recipe = settings, resources, recipe
        self.uris = self._uri_parameters()
        self.checkpoint_key = string_parameter(CHECKPOINT_KEY, checkpoint_key(recipe.defaults()))
        self.instance_types = {job.key: parameter for job in JOBS if (parameter := self._instance_parameter(job))}
        self.made: dict[str, JobStep] = {}

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """What a run can choose of the jobs: places, checkpoints, instance types."""
        return (*self.uris.values(), self.checkpoint_key, *self.instance_types.values())

    def step(self, job: Job) -> JobStep:
        """A job of the table as a step, after those that it reads from."""
        made = {"Processing": self._processing, "Training": self._training, "Transform": self._transform}
        self.made[job.key] = made[job.api.step_type](job)
        return self.made[job.key]

    def _processing(self, job: Job) -> ProcessingStep:
        return ProcessingStep(
            name=job.step,
            description=job.description,
            job=self._resources.job,
            hardware=self._hardware(job),
            role_arn=self._resources.roles[job.key],
            image_uri=self._resources.images[job.image],
            entrypoint=(*COMMAND, job.command),
            options={**self._recipe.options(*job.recipe), **self.told_digests(job)},
            inputs=tuple(ProcessingInput(name=item.name, s3_uri=self._source(item)) for item in job.reads),
            outputs=tuple(ProcessingOutput(name=item.name, s3_uri=self._place(item)) for item in job.writes),
            property_files=tuple(property_file(item) for item in job.writes if item.property_file),
        )

    def _training(self, job: Job) -> TrainingStep:
        settings = self._settings.environment.jobs.of(job)
        assert isinstance(settings, TrainJobSettings) and job.checkpoints is not None
        return TrainingStep(
            name=job.step,
            description=job.description,
            job=self._resources.job,
            hardware=self._hardware(job),
            role_arn=self._resources.roles[job.key],
            image_uri=self._resources.images[job.image],
            hyperparameters=self._recipe.options(*job.recipe),
            channels=tuple(Channel(name=item.name, s3_uri=self._source(item)) for item in job.reads),
            metrics=METRICS,
            output_s3_uri=self._place(job.writes[0]),
            checkpoint_s3_uri=Join((self._resources.uri(job.checkpoints), self.checkpoint_key), on="/"),
            spot=Spot(max_wait_seconds=settings.max_wait_minutes * 60)
            if settings.spot and settings.max_wait_minutes
            else None,
        )

    def _transform(self, job: Job) -> TransformStep:
        settings = self._settings.environment.jobs.of(job)
        assert isinstance(settings, TransformJobSettings)
        data = next(item for item in job.reads if isinstance(item, Uploaded))
        return TransformStep(
            name=job.step,
            description=job.description,
            job=self._resources.job,
            hardware=self._hardware(job),
            model_name=self.create_model().model_name,
            input_s3_uri=self._source(data),
            output_s3_uri=self._place(job.writes[0]),
            rows_at_once=2 * self._settings.recipe.inference.batch_size,
            ami_version=settings.ami_version,
        )

    def create_model(self) -> CreateModelStep:
        """The packed model, as a transform takes it."""
        return CreateModelStep(
            name="CreateModel",
            description="Put the archive and the inference image together",
            job=self._resources.job,
            role_arn=self._resources.roles[TRANSFORM.key],
            image_uri=self.inference_image(),
            model_data_url=self.archive(),
            environment=served_environment(),
        )

    def told_digests(self, job: Job) -> dict[str, Any]:
        """What a job must find its inputs to be: what is packed is what was judged."""
        return {f"sha256.{name}": sha256(EVALUATE, name) for name in JUDGED} if job is PACKAGE else {}

    def archive(self) -> Any:
        """Where the packed model lies."""
        return Join((self.output_of(PACKAGE.key, PACKAGE.writes[0].name), ARCHIVE), on="/")

    def inference_image(self) -> Any:
        """The image that the packed model is served by."""
        return self._resources.images[TRANSFORM.image]

    def output_of(self, job: str, output: str) -> Any:
        """Where what an earlier job wrote lies."""
        return self.made[job].output(output)

    def _source(self, item: Uploaded | Made) -> object:
        """Where an input lies."""
        if isinstance(item, Made):
            return self.output_of(item.job, item.output)
        uri = self.uris[item.parameter.name]
        return Join((uri, item.part), on="/") if item.part else uri

    def _place(self, output: Output) -> Join:
        """Where an output goes: under its place, in the execution's folder."""
        folder = (output.name,) if output.place.shared else ()
        return Join((self._resources.uri(output.place), EXECUTION_ID, *folder), on="/")

    def _hardware(self, job: Job) -> Hardware:
        settings = self._settings.environment.jobs.of(job)
        known = find_instance(settings.instance_type)
        return Hardware(
            instance_type=self.instance_types.get(job.key, settings.instance_type),
            # Settings see to it that all allowed types are of one sort.
            local_storage=known is not None and known.has_local_storage,
            volume_size_gb=settings.volume_size_gb,
            max_runtime_seconds=settings.max_runtime_minutes * 60,
        )

    def _uri_parameters(self) -> dict[str, Parameter]:
        model, data = self._settings.recipe.model, self._settings.recipe.data
        folders = {
            layout.BASE_MODELS: f"{model.name_or_path}/{model.revision}",
            layout.DATASETS: f"{data.name}/",
            layout.BATCH_INPUT: f"{data.name}/",
        }
        return {
            parameter.name: string_parameter(
                parameter.name, f"{self._resources.uri(parameter.place)}/{folders[parameter.place]}"
            )
            for parameter in URI_PARAMETERS
        }

    def _instance_parameter(self, job: Job) -> Parameter | None:
        settings = self._settings.environment.jobs.of(job)
        if job.instance_parameter is None:
            return None
        return Parameter(
            name=job.instance_parameter,
            type=ParameterType.STRING,
            default=settings.instance_type,
            allowed=tuple(settings.instance_choices),
        )


def sha256(job: Job, name: str) -> JsonGet:
    """The digest of something, off the property file of a job that saw or made it."""
    return JsonGet(step=job.step, property_file=property_file(job.writes[0]), path=f"sha256.{name}")


def served_environment() -> dict[str, Any]:
    """What a server of the packed model is told: it serves nothing else."""
    return {MODEL_SHA256: sha256(PACKAGE, "model")}


def property_file(output: Output) -> PropertyFile:
    """An output's file that the pipeline reads values off."""
    assert output.property_file is not None
    return PropertyFile(name=output.name.capitalize(), output_name=output.name, file_name=output.property_file)


def string_parameter(name: str, default: str | None) -> Parameter:
    return Parameter(name=name, type=ParameterType.STRING, default=default)
