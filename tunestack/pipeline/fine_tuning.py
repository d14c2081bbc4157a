"""The fine-tuning pipeline: prepare → train → evaluate → gate → package → register → transform.

PrepareData → FineTune → EvaluateModels → CheckGates ┬ PackageModel → RegisterModel
                                                     │              └ CreateModel → BatchTransform
                                                     └ RejectModel
"""

from tunestack.catalogue import find_instance
from tunestack.pipeline import recipe_parameters
from tunestack.pipeline.definition import Pipeline
from tunestack.pipeline.expressions import (
    EXECUTION_ID,
    Join,
    JsonGet,
    Parameter,
    ParameterType,
    PropertyFile,
)
from tunestack.pipeline.job_defaults import Hardware
from tunestack.pipeline.resources import Resources
from tunestack.pipeline.steps import (
    Channel,
    ConditionStep,
    CreateModelStep,
    FailStep,
    LessThanOrEqualTo,
    ProcessingInput,
    ProcessingOutput,
    ProcessingStep,
    RegisterModelStep,
    Spot,
    Step,
    TrainingStep,
    TransformStep,
)
from tunestack.pipeline.training_metrics import METRICS
from tunestack.settings import Settings
from tunestack.settings.environment import Job

COMMAND = ("python", "-m", "tunestack_training")
EVALUATION = PropertyFile(name="Evaluation", output_name="evaluation", file_name="evaluation.json")


def fine_tuning_pipeline(settings: Settings, resources: Resources) -> Pipeline:
    """The pipeline of an environment, from its settings and the resources that its stacks made."""
    return _Builder(settings, resources).build()


class _Builder:
    def __init__(self, settings: Settings, resources: Resources) -> None:
        self.settings = settings
        self.jobs = settings.environment.jobs
        self.resources = resources
        self.recipe = recipe_parameters.RecipeParameters(settings.recipe)
        model, data = settings.recipe["model"], settings.recipe["data"]
        base = f"s3://{resources.artifacts_bucket}/base-models/{model['name_or_path']}/{model['revision']}"
        raw = f"s3://{resources.raw_data_bucket}"
        self.base_model_uri = _string("BaseModelUri", base)
        self.data_uri = _string("DataUri", f"{raw}/datasets/{data['name']}/")
        self.transform_input_uri = _string("TransformInputUri", f"{raw}/batch-input/{data['name']}/")
        self.checkpoint_key = _string(
            recipe_parameters.CHECKPOINT_KEY, recipe_parameters.checkpoint_key(self.recipe.defaults())
        )
        self.train_instance_type = _choice("TrainInstanceType", self.jobs.train)
        self.evaluate_instance_type = _choice("EvaluateInstanceType", self.jobs.evaluate)
        self.transform_instance_type = _choice("TransformInstanceType", self.jobs.transform)

    def build(self) -> Pipeline:
        prepare = self.prepare()
        train = self.train(prepare)
        evaluate = self.evaluate(prepare, train)
        return Pipeline(
            parameters=(
                self.base_model_uri,
                self.data_uri,
                self.transform_input_uri,
                self.checkpoint_key,
                self.train_instance_type,
                self.evaluate_instance_type,
                self.transform_instance_type,
                *self.recipe.parameters,
            ),
            steps=(prepare, train, evaluate, self.gate(train, evaluate)),
        )

    def prepare(self) -> ProcessingStep:
        return ProcessingStep(
            name="PrepareData",
            description="Validate, de-duplicate, split and measure the data set",
            job=self.resources.job,
            hardware=_hardware(self.jobs.prepare),
            role_arn=self.resources.roles.prepare,
            image_uri=self.resources.training_image_uri,
            entrypoint=(*COMMAND, "prepare"),
            options=self.recipe.options("model", "data") | self.recipe.options("training", only=("max_length", "seed")),
            inputs=(
                ProcessingInput(name="data", s3_uri=self.data_uri),
                # The weights aren't needed here, and can be a hundred times as large.
                ProcessingInput(name="base-model", s3_uri=self.base_model("tokenizer")),
            ),
            outputs=tuple(
                self.result(name) for name in ("train", "validation", "test", "general", "rejected", "report")
            ),
        )

    def train(self, prepare: ProcessingStep) -> TrainingStep:
        job = self.jobs.train
        return TrainingStep(
            name="FineTune",
            description="Fine-tune an adapter on the quantised base model (QLoRA)",
            job=self.resources.job,
            hardware=_hardware(job, instance_type=self.train_instance_type),
            role_arn=self.resources.roles.train,
            image_uri=self.resources.training_image_uri,
            hyperparameters=self.recipe.options("model", "data", "quantization", "lora", "training"),
            channels=(
                Channel(name="base-model", s3_uri=self.base_model("model")),
                Channel(name="train", s3_uri=prepare.output("train")),
                Channel(name="validation", s3_uri=prepare.output("validation")),
            ),
            metrics=METRICS,
            output_s3_uri=self.artifact("training"),
            checkpoint_s3_uri=Join(
                (f"s3://{self.resources.artifacts_bucket}/checkpoints", self.checkpoint_key), on="/"
            ),
            spot=Spot(max_wait_seconds=job.max_wait_minutes * 60) if job.spot and job.max_wait_minutes else None,
        )

    def evaluate(self, prepare: ProcessingStep, train: TrainingStep) -> ProcessingStep:
        return ProcessingStep(
            name="EvaluateModels",
            description="Compare base and tuned model on held-out rows and on a general set",
            job=self.resources.job,
            hardware=_hardware(self.jobs.evaluate, instance_type=self.evaluate_instance_type),
            role_arn=self.resources.roles.evaluate,
            image_uri=self.resources.training_image_uri,
            entrypoint=(*COMMAND, "evaluate"),
            options=self.recipe.options("evaluation"),
            inputs=(
                ProcessingInput(name="base-model", s3_uri=self.base_model("model")),
                ProcessingInput(name="adapter", s3_uri=train.get("ModelArtifacts.S3ModelArtifacts")),
                ProcessingInput(name="test", s3_uri=prepare.output("test")),
                ProcessingInput(name="general", s3_uri=prepare.output("general")),
            ),
            outputs=(self.result("evaluation"),),
            property_files=(EVALUATION,),
        )

    def gate(self, train: TrainingStep, evaluate: ProcessingStep) -> ConditionStep:
        heldout = self.recipe.parameter("evaluation.max_heldout_loss_ratio")
        general = self.recipe.parameter("evaluation.max_general_loss_ratio")
        package = self.package(train)
        archive = Join((package.output("model"), "model.tar.gz"), on="/")
        create_model = self.create_model(archive)
        reject = FailStep(
            name="RejectModel",
            description="End here: the tuned model is not good enough to be registered",
            # The evaluation's exit message holds each metric's value: a Fail step can't read a property file.
            error_message=Join(
                (
                    "the tuned model was not registered: ",
                    evaluate.get("ExitMessage"),
                    "; allowed: heldout.loss_ratio at most ",
                    heldout,
                    " (MaxHeldoutLossRatio), general.loss_ratio at most ",
                    general,
                    " (MaxGeneralLossRatio)",
                )
            ),
        )
        return ConditionStep(
            name="CheckGates",
            description="Go on only if the tuned model improved and forgot little",
            conditions=(
                LessThanOrEqualTo(left=_metric(evaluate, "heldout.loss_ratio"), right=heldout),
                LessThanOrEqualTo(left=_metric(evaluate, "general.loss_ratio"), right=general),
            ),
            if_steps=(package, self.register(archive, evaluate), create_model, self.transform(create_model)),
            else_steps=(reject,),
        )

    def package(self, train: TrainingStep) -> ProcessingStep:
        return ProcessingStep(
            name="PackageModel",
            description="Merge adapter and base, and pack them as the one archive that serving takes",
            job=self.resources.job,
            hardware=_hardware(self.jobs.registration),
            role_arn=self.resources.roles.register,
            image_uri=self.resources.training_image_uri,
            entrypoint=(*COMMAND, "merge"),
            options=self.recipe.options("merge", "inference"),
            inputs=(
                ProcessingInput(name="base-model", s3_uri=self.base_model("model")),
                ProcessingInput(name="adapter", s3_uri=train.get("ModelArtifacts.S3ModelArtifacts")),
            ),
            outputs=(ProcessingOutput(name="model", s3_uri=self.artifact("packages")),),
        )

    def register(self, archive: Join, evaluate: ProcessingStep) -> RegisterModelStep:
        return RegisterModelStep(
            name="RegisterModel",
            description="Add a version to the registry; somebody approves it",
            model_package_group_name=self.resources.model_package_group_name,
            image_uri=self.resources.inference_image_uri,
            model_data_url=archive,
            metrics_s3_uri=Join((evaluate.output("evaluation"), EVALUATION.file_name), on="/"),
            metadata={
                "base_model_uri": self.base_model_uri,
                "data_uri": self.data_uri,
                "evaluation": evaluate.get("ExitMessage"),
                "pipeline_execution_id": EXECUTION_ID,
            },
        )

    def create_model(self, archive: Join) -> CreateModelStep:
        return CreateModelStep(
            name="CreateModel",
            description="Put the archive and the inference image together",
            job=self.resources.job,
            role_arn=self.resources.roles.transform,
            image_uri=self.resources.inference_image_uri,
            model_data_url=archive,
        )

    def transform(self, model: CreateModelStep) -> TransformStep:
        job = self.jobs.transform
        return TransformStep(
            name="BatchTransform",
            description="Answer the batch of questions with the tuned model",
            job=self.resources.job,
            hardware=_hardware(job, instance_type=self.transform_instance_type),
            model_name=model.model_name,
            input_s3_uri=self.transform_input_uri,
            output_s3_uri=Join((f"s3://{self.resources.results_bucket}/transform", EXECUTION_ID), on="/"),
            max_concurrent_transforms=job.max_concurrent_transforms,
            max_payload_mb=job.max_payload_mb,
            ami_version=job.ami_version,
        )

    def base_model(self, part: str) -> Join:
        return Join((self.base_model_uri, part), on="/")

    def result(self, name: str) -> ProcessingOutput:
        place = Join((f"s3://{self.resources.results_bucket}/executions", EXECUTION_ID, name), on="/")
        return ProcessingOutput(name=name, s3_uri=place)

    def artifact(self, kind: str) -> Join:
        return Join((f"s3://{self.resources.artifacts_bucket}/{kind}", EXECUTION_ID), on="/")


def _metric(evaluate: Step, path: str) -> JsonGet:
    return JsonGet(step=evaluate.name, property_file=EVALUATION, path=path)


def _string(name: str, default: str) -> Parameter:
    return Parameter(name=name, type=ParameterType.STRING, default=default)


def _choice(name: str, job: Job) -> Parameter:
    return Parameter(
        name=name, type=ParameterType.STRING, default=job.instance_type, allowed=tuple(job.instance_choices)
    )


def _hardware(job: Job, *, instance_type: Parameter | None = None) -> Hardware:
    known = find_instance(job.instance_type)
    return Hardware(
        instance_type=instance_type or job.instance_type,
        # Settings see to it that all allowed types are of one sort.
        local_storage=known is not None and known.has_local_storage,
        volume_size_gb=job.volume_size_gb,
        max_runtime_seconds=job.max_runtime_minutes * 60,
    )
