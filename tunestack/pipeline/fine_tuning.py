"""The fine-tuning pipeline: the table's jobs as steps, and between them the gate.

PrepareData → FineTune → EvaluateModels → CheckGates ┬ PackageModel → RegisterModel
                                                     │              └ CreateModel → BatchTransform
                                                     └ RejectModel
"""

from collections.abc import Iterator

from tunestack.jobs import DATA_URI, JOBS, PACKAGE
from tunestack.pipeline.definition import Pipeline
from tunestack.pipeline.gate import gate, register
from tunestack.pipeline.job_steps import JobSteps
from tunestack.pipeline.recipe_parameters import RecipeParameters
from tunestack.pipeline.resources import Resources
from tunestack.pipeline.steps import Step
from tunestack.settings.loading import Settings


def fine_tuning_pipeline(settings: Settings, resources: Resources) -> Pipeline:
    """The pipeline of an environment, from its settings (without `auto`) and the resources that its stacks make."""
    recipe = RecipeParameters(settings.recipe)
    jobs = JobSteps(settings, resources, recipe)
    first = tuple(jobs.step(job) for job in JOBS if job.when == "always")
    return Pipeline(
        parameters=(*jobs.parameters, *recipe.parameters),
        steps=(*first, gate(jobs, recipe, tuple(_registered(jobs, recipe, resources)))),
    )


def _registered(jobs: JobSteps, recipe: RecipeParameters, resources: Resources) -> Iterator[Step]:
    """What only a model that passed the gate is worth: it is packed, registered, and answers."""
    for job in (job for job in JOBS if job.when == "registered"):
        yield jobs.step(job)
        if job is PACKAGE:
            yield register(jobs, recipe, resources, metadata={"data_uri": jobs.uris[DATA_URI.name]})
            yield jobs.create_model()
