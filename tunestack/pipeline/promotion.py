"""The promotion pipeline: a version of another environment, judged and registered here as one of this one's own.

[PrepareData →] EvaluateModels → CheckGates ┬ PackageModel → RegisterModel
                                            │              └ CreateModel → BatchTransform
                                            └ RejectModel

Adapter, base and inference image come with the version, by their digests. Nothing is trained; what is served is packed
here from what was judged here. The exam is this environment's own, unless its settings accept the version's.
"""

from typing import Any

from tunestack.jobs import (
    BASE_MODEL_URI,
    DATA_URI,
    EVALUATE,
    PACKAGE,
    PREPARE,
    TRANSFORM,
    TRANSFORM_INPUT_URI,
    Job,
    Uploaded,
)
from tunestack.layout import ADAPTER, BASE, GENERAL, QUESTIONS, TEST
from tunestack.pipeline.definition import Pipeline
from tunestack.pipeline.expressions import Parameter
from tunestack.pipeline.gate import gate, register
from tunestack.pipeline.job_steps import JUDGED, JobSteps, string_parameter
from tunestack.pipeline.recipe_parameters import GATE_LIMITS, RecipeParameters
from tunestack.pipeline.resources import Resources
from tunestack.settings.loading import Settings

SOURCE_VERSION, IMAGE_URI = string_parameter("SourceVersionArn", None), string_parameter("ImageUri", None)
SOURCE_VERSION_KEY = "source_version_arn"
# A version's metadata → the parameter that says where its copy lies.
_MODEL = {BASE: BASE_MODEL_URI.name, ADAPTER: "AdapterUri"}
_EXAM = {TEST: "TestUri", GENERAL: "GeneralUri", QUESTIONS: TRANSFORM_INPUT_URI.name}
# A version's metadata → the parameter that says its value: what the copies must be.
DIGEST_PARAMETERS = {f"{name}_sha256": f"{name.title().replace('_', '')}Sha256" for name in JUDGED}
# What PrepareData is told that a run of the fine-tuning pipeline may choose.
_CHOICES_OF_PREPARE = ("training.max_length", "training.seed")
# What jobs of the fine-tuning pipeline wrote, as the table of jobs names it → where it comes from here.
_BROUGHT = {("train", "model"): ADAPTER, ("prepare", "test"): TEST, ("prepare", "general"): GENERAL}


def copied_parameters(settings: Settings) -> dict[str, str]:
    """What is copied of a version: its metadata's key → the parameter that says where the copy lies."""
    return _MODEL | (_EXAM if settings.takes_exams_along else {})


def jobs_of_promotion(settings: Settings) -> tuple[Job, ...]:
    """The jobs that a version goes through, in their order."""
    prepared = () if settings.takes_exams_along else (PREPARE,)
    return (*prepared, EVALUATE, PACKAGE, TRANSFORM)


def readers_of_copies(settings: Settings) -> tuple[Job, ...]:
    """The jobs of a promotion that read what was copied of a version."""
    jobs, copied = jobs_of_promotion(settings), copied_parameters(settings)
    here = {job.key for job in jobs}
    return tuple(
        job
        for job in jobs
        if any(
            item.parameter.name in copied.values() if isinstance(item, Uploaded) else item.job not in here
            for item in job.reads
        )
    )


class PromotedSteps(JobSteps):
    """The table's jobs over what comes with a version, where other jobs would have made it."""

    def __init__(self, settings: Settings, resources: Resources, recipe: RecipeParameters) -> None:
        super().__init__(settings, resources, recipe)
        self._jobs = jobs_of_promotion(settings)
        self._brought = {key: string_parameter(name, None) for key, name in copied_parameters(settings).items()}
        self._digests = {key: string_parameter(name, None) for key, name in DIGEST_PARAMETERS.items()}
        self.uris |= {parameter.name: parameter for parameter in self._brought.values()}
        if PREPARE not in self._jobs:
            del self.uris[DATA_URI.name]

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """What comes with the version, where this environment's own exam lies, and the instance types."""
        chosen = (parameter for job in self._jobs if (parameter := self.instance_types.get(job.key)))
        return (SOURCE_VERSION, IMAGE_URI, *self._digests.values(), *self.uris.values(), *chosen)

    def inference_image(self) -> Any:
        """The version's image, by its digest."""
        return IMAGE_URI

    def output_of(self, job: str, output: str) -> Any:
        """Where what a job wrote lies: here, or the copy of what came with the version."""
        return super().output_of(job, output) if job in self.made else self._brought[_BROUGHT[job, output]]

    def told_digests(self, job: Job) -> dict[str, Any]:
        """What is judged must be what was registered; the exam, where it comes along, one that is accepted."""
        if job is not EVALUATE:
            return super().told_digests(job)
        told: dict[str, Any] = {f"sha256.{name}": self._digests[f"{name}_sha256"] for name in JUDGED}
        accepted = self._settings.environment.promotion.accepted_exams
        return told | ({"sha256.exam": ",".join(accepted)} if accepted else {})


def promotion_pipeline(settings: Settings, resources: Resources) -> Pipeline:
    """The pipeline that takes in versions of the environment that the settings name as their source."""
    recipe = RecipeParameters(settings.recipe)
    jobs = PromotedSteps(settings, resources, recipe)
    first = [jobs.step(job) for job in jobs_of_promotion(settings) if job.when == "always"]
    packed = jobs.step(PACKAGE)
    registered = register(jobs, recipe, resources, metadata={SOURCE_VERSION_KEY: SOURCE_VERSION})
    good = (packed, registered, jobs.create_model(), jobs.step(TRANSFORM))
    told = (*(_CHOICES_OF_PREPARE if PREPARE in jobs_of_promotion(settings) else ()), *GATE_LIMITS)
    return Pipeline(
        parameters=(*jobs.parameters, *(recipe.parameter(dotted) for dotted in told)),
        steps=(*first, gate(jobs, recipe, good)),
    )
