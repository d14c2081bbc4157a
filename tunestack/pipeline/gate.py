"""The gate: go on only with a model that improved and forgot little; and what is registered of one that did."""

from collections.abc import Mapping
from typing import Any

from tunestack.jobs import BASE_MODEL_URI, EVALUATE, PACKAGE, TRANSFORM_INPUT_URI
from tunestack.layout import ADAPTER, BASE, GENERAL, QUESTIONS, TEST
from tunestack.pipeline.expressions import EXECUTION_ID, Join, JsonGet
from tunestack.pipeline.job_steps import JUDGED, JobSteps, property_file, served_environment, sha256
from tunestack.pipeline.recipe_parameters import GATE_LIMITS, RecipeParameters
from tunestack.pipeline.resources import Resources
from tunestack.pipeline.steps import ConditionStep, FailStep, LessThanOrEqualTo, RegisterModelStep, Step

EVALUATION = EVALUATE.writes[0]
# Of a version's metadata: what the gate said.
GATE = "gate"
# What the evaluation must say at the most, by its metric.
_METRICS = ("heldout.loss_ratio", "general.loss_ratio", "heldout.error_rate", "heldout.error_increase")
LIMITS = dict(zip(_METRICS, GATE_LIMITS, strict=True))


def gate(jobs: JobSteps, recipe: RecipeParameters, registered: tuple[Step, ...]) -> ConditionStep:
    """The condition on the evaluation: the steps for a good model, or the end with its figures."""
    limits = {metric: recipe.parameter(dotted) for metric, dotted in LIMITS.items()}
    allowed: list[Any] = []
    for metric, limit in limits.items():
        allowed += [f"{', ' if allowed else ''}{metric} at most ", limit, f" ({limit.name})"]
    reject = FailStep(
        name="RejectModel",
        description="End here: the tuned model is not good enough to be registered",
        # The evaluation's exit message holds each metric's value: a Fail step can't read a property file.
        error_message=Join(
            (
                "the tuned model was not registered: ",
                jobs.made[EVALUATE.key].get("ExitMessage"),
                "; allowed: ",
                *allowed,
            )
        ),
    )
    return ConditionStep(
        name="CheckGates",
        description="Go on only if the tuned model improved and forgot little",
        # A run's own limits, and the deployed recipe's: whoever starts a run can be stricter, never more lenient.
        conditions=tuple(
            LessThanOrEqualTo(left=_metric(metric), right=limit)
            for metric, chosen in limits.items()
            for limit in (chosen, chosen.default)
        ),
        if_steps=registered,
        else_steps=(reject,),
    )


def register(
    jobs: JobSteps, recipe: RecipeParameters, resources: Resources, *, metadata: Mapping[str, Any]
) -> RegisterModelStep:
    """The registration, with what the version was made from and judged by, and `metadata`."""
    evaluate = jobs.made[EVALUATE.key]
    return RegisterModelStep(
        name="RegisterModel",
        description="Add a version to the registry; somebody approves it",
        model_package_group_name=resources.model_package_group_name,
        image_uri=jobs.inference_image(),
        model_data_url=jobs.archive(),
        environment=served_environment(),
        metrics_s3_uri=Join((evaluate.output(EVALUATION.name), EVALUATION.property_file), on="/"),
        metadata={
            BASE: jobs.uris[BASE_MODEL_URI.name],
            ADAPTER: jobs.output_of("train", "model"),
            TEST: jobs.output_of("prepare", "test"),
            GENERAL: jobs.output_of("prepare", "general"),
            QUESTIONS: jobs.uris[TRANSFORM_INPUT_URI.name],
            "evaluation": evaluate.get("ExitMessage"),
            # Passed or undecided: on few rows, or close to a limit, a figure that keeps it may do so by chance.
            GATE: _metric("gate.verdict"),
            **{f"{name}_sha256": sha256(EVALUATE, name) for name in (*JUDGED, "exam")},
            "archive_sha256": sha256(PACKAGE, "archive"),
            **{dotted.split(".")[1]: recipe.parameter(dotted) for dotted in GATE_LIMITS},
            "pipeline_execution_id": EXECUTION_ID,
            **metadata,
        },
    )


def _metric(path: str) -> JsonGet:
    return JsonGet(step=EVALUATE.step, property_file=property_file(EVALUATION), path=path)
