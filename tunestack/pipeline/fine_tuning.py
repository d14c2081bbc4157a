"""The fine-tuning pipeline: the table's jobs as steps, and between them the gate.

PrepareData → FineTune → EvaluateModels → CheckGates ┬ PackageModel → RegisterModel
                                                     │              └ CreateModel → BatchTransform
                                                     └ RejectModel
"""

from collections.abc import Iterator

from tunestack.jobs import BASE_MODEL_URI, DATA_URI, EVALUATE, JOBS, PACKAGE
from tunestack.layout import Image
from tunestack.pipeline.definition import Pipeline
from tunestack.pipeline.expressions import EXECUTION_ID, Join, JsonGet
from tunestack.pipeline.job_steps import JobSteps, property_file
from tunestack.pipeline.recipe_parameters import GATE_LIMITS, RecipeParameters
from tunestack.pipeline.resources import Resources
from tunestack.pipeline.steps import ConditionStep, FailStep, LessThanOrEqualTo, RegisterModelStep, Step
from tunestack.settings.loading import Settings

EVALUATION = EVALUATE.writes[0]
HELDOUT_LIMIT, GENERAL_LIMIT = GATE_LIMITS


def fine_tuning_pipeline(settings: Settings, resources: Resources) -> Pipeline:
    """The pipeline of an environment, from its settings (without `auto`) and the resources that its stacks make."""
    recipe = RecipeParameters(settings.recipe)
    jobs = JobSteps(settings, resources, recipe)
    first = tuple(jobs.step(job) for job in JOBS if job.when == "always")
    return Pipeline(
        parameters=(*jobs.parameters, *recipe.parameters),
        steps=(*first, _gate(jobs, recipe, tuple(_registered(jobs, recipe, resources)))),
    )


def _gate(jobs: JobSteps, recipe: RecipeParameters, registered: tuple[Step, ...]) -> ConditionStep:
    heldout = recipe.parameter(HELDOUT_LIMIT)
    general = recipe.parameter(GENERAL_LIMIT)
    reject = FailStep(
        name="RejectModel",
        description="End here: the tuned model is not good enough to be registered",
        # The evaluation's exit message holds each metric's value: a Fail step can't read a property file.
        error_message=Join(
            (
                "the tuned model was not registered: ",
                jobs.made[EVALUATE.key].get("ExitMessage"),
                "; allowed: heldout.loss_ratio at most ",
                heldout,
                f" ({heldout.name}), general.loss_ratio at most ",
                general,
                f" ({general.name})",
            )
        ),
    )
    return ConditionStep(
        name="CheckGates",
        description="Go on only if the tuned model improved and forgot little",
        # A run's own limits, and the deployed recipe's: whoever starts a run can be stricter, never more lenient.
        conditions=tuple(
            LessThanOrEqualTo(left=_metric(metric), right=limit)
            for metric, chosen in (("heldout.loss_ratio", heldout), ("general.loss_ratio", general))
            for limit in (chosen, chosen.default)
        ),
        if_steps=registered,
        else_steps=(reject,),
    )


def _registered(jobs: JobSteps, recipe: RecipeParameters, resources: Resources) -> Iterator[Step]:
    """What only a model that passed the gate is worth: it is packed, registered, and answers."""
    for job in (job for job in JOBS if job.when == "registered"):
        yield jobs.step(job)
        if job is PACKAGE:
            yield _register(jobs, recipe, resources)
            yield jobs.create_model()


def _register(jobs: JobSteps, recipe: RecipeParameters, resources: Resources) -> RegisterModelStep:
    evaluate = jobs.made[EVALUATE.key]
    return RegisterModelStep(
        name="RegisterModel",
        description="Add a version to the registry; somebody approves it",
        model_package_group_name=resources.model_package_group_name,
        image_uri=resources.images[Image.INFERENCE],
        model_data_url=jobs.archive(),
        metrics_s3_uri=Join((evaluate.output(EVALUATION.name), EVALUATION.property_file), on="/"),
        metadata={
            "base_model_uri": jobs.uris[BASE_MODEL_URI.name],
            "data_uri": jobs.uris[DATA_URI.name],
            "evaluation": evaluate.get("ExitMessage"),
            **{dotted.split(".")[1]: recipe.parameter(dotted) for dotted in (HELDOUT_LIMIT, GENERAL_LIMIT)},
            "pipeline_execution_id": EXECUTION_ID,
        },
    )


def _metric(path: str) -> JsonGet:
    return JsonGet(step=EVALUATE.step, property_file=property_file(EVALUATION), path=path)
