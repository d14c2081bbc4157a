"""The promotion pipeline: a version of another environment, judged and registered here as one of this one's own.

EvaluateModels → CheckGates ┬ RegisterModel
                            │ CreateModel → BatchTransform
                            └ RejectModel

Nothing is trained or packed: adapter, base, archive, image and the rows that it is judged by come with the version.
"""

from typing import Any

from tunestack.jobs import BASE_MODEL_URI, EVALUATE, TRANSFORM, TRANSFORM_INPUT_URI
from tunestack.pipeline.definition import Pipeline
from tunestack.pipeline.expressions import Parameter
from tunestack.pipeline.gate import ADAPTER, BASE, GENERAL, QUESTIONS, TEST, gate, register
from tunestack.pipeline.job_steps import JobSteps, string_parameter
from tunestack.pipeline.recipe_parameters import GATE_LIMITS, RecipeParameters
from tunestack.pipeline.resources import Resources
from tunestack.settings.loading import Settings

SOURCE_VERSION = string_parameter("SourceVersionArn", None)
MODEL_DATA_URL, IMAGE_URI = string_parameter("ModelDataUrl", None), string_parameter("ImageUri", None)
# A version's metadata → the parameter that says where its copy lies.
PARAMETER_OF = {
    BASE: BASE_MODEL_URI.name,
    ADAPTER: "AdapterUri",
    TEST: "TestUri",
    GENERAL: "GeneralUri",
    QUESTIONS: TRANSFORM_INPUT_URI.name,
}
# What jobs of the fine-tuning pipeline wrote, as the table of jobs names it → where it comes from here.
_BROUGHT = {("train", "model"): ADAPTER, ("prepare", "test"): TEST, ("prepare", "general"): GENERAL}
JOBS_OF_PROMOTION = (EVALUATE, TRANSFORM)
SOURCE_VERSION_KEY = "source_version_arn"


class PromotedSteps(JobSteps):
    """The table's jobs over what comes with a version, where other jobs would have made it."""

    def __init__(self, settings: Settings, resources: Resources, recipe: RecipeParameters) -> None:
        super().__init__(settings, resources, recipe)
        self._brought = {key: string_parameter(name, None) for key, name in PARAMETER_OF.items()}
        self.uris = {parameter.name: parameter for parameter in self._brought.values()}

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """What comes with the version, and the instance types."""
        chosen = (parameter for job in JOBS_OF_PROMOTION if (parameter := self.instance_types.get(job.key)))
        return (SOURCE_VERSION, MODEL_DATA_URL, IMAGE_URI, *self._brought.values(), *chosen)

    def archive(self) -> Any:
        """The version's archive, as it was copied."""
        return MODEL_DATA_URL

    def inference_image(self) -> Any:
        """The version's image, by its digest."""
        return IMAGE_URI

    def output_of(self, job: str, output: str) -> Any:
        """Where the copy of what a job wrote lies."""
        return self._brought[_BROUGHT[job, output]]


def promotion_pipeline(settings: Settings, resources: Resources) -> Pipeline:
    """The pipeline that takes in versions of the environment that the settings name as their source."""
    recipe = RecipeParameters(settings.recipe)
    jobs = PromotedSteps(settings, resources, recipe)
    evaluated = jobs.step(EVALUATE)
    registered = register(jobs, recipe, resources, metadata={SOURCE_VERSION_KEY: SOURCE_VERSION})
    good = (registered, jobs.create_model(), jobs.step(TRANSFORM))
    return Pipeline(
        parameters=(*jobs.parameters, *(recipe.parameter(limit) for limit in GATE_LIMITS)),
        steps=(evaluated, gate(jobs, recipe, good)),
    )
