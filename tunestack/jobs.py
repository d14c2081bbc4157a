"""The jobs of the pipeline, once.

Roles and grants, the definition's steps, cost, quotas, checks, reports and pictures follow from this table: a new
processing job is one entry here, and a command of `training_code` that it runs.
"""

from dataclasses import dataclass
from typing import Literal

from tunestack import layout
from tunestack.job_api import PROCESSING_API, TRAINING_API, TRANSFORM_API, Api
from tunestack.layout import MODEL_PART, TOKENIZER_PART, Image, Place

# What a job holds in memory: the training's states; the model over rows that it scores; the fp32 weights that adapter
# and base are made into; the packed model that answers.
MemoryUse = Literal["training", "scoring", "fusing", "serving"]
# What a job's hours grow with: the training's tokens; rows scored and answers generated; the weights' size; nothing.
TimeUse = Literal["training", "scoring", "fusing", "small"]


@dataclass(frozen=True, kw_only=True)
class UriParameter:
    """A pipeline parameter that says where a run reads from, and the command that puts something there."""

    name: str
    place: Place
    uploaded_by: str


BASE_MODEL_URI = UriParameter(name="BaseModelUri", place=layout.BASE_MODELS, uploaded_by="tunestack models add")
DATA_URI = UriParameter(name="DataUri", place=layout.DATASETS, uploaded_by="tunestack data add FILE")
TRANSFORM_INPUT_URI = UriParameter(
    name="TransformInputUri", place=layout.BATCH_INPUT, uploaded_by="tunestack data add FILE --batch-input"
)
URI_PARAMETERS = (BASE_MODEL_URI, DATA_URI, TRANSFORM_INPUT_URI)


@dataclass(frozen=True, kw_only=True)
class Uploaded:
    """An input that lies where a parameter points to; `part` is a folder below that."""

    name: str
    parameter: UriParameter
    part: str = ""


@dataclass(frozen=True, kw_only=True)
class Made:
    """An input that an earlier job wrote."""

    name: str
    job: str
    output: str


@dataclass(frozen=True, kw_only=True)
class Output:
    """What a job leaves under a place, in the execution's folder; the pipeline can read values off a property file."""

    name: str
    place: Place
    property_file: str | None = None


@dataclass(frozen=True, kw_only=True)
class Job:
    """One job of the pipeline.

    `setting` is its key under `jobs` in an environment's file; jobs may share one. `recipe` names the sections, or the
    single fields, of the recipe that it gets. With `choosable`, a run may choose its instance type by a parameter.
    `when` is "registered" for what only a model that passed the gate is worth.
    """

    key: str
    step: str
    description: str
    api: Api
    command: str
    image: Image
    setting: str
    recipe: tuple[str, ...]
    reads: tuple[Uploaded | Made, ...]
    writes: tuple[Output, ...]
    checkpoints: Place | None = None
    choosable: bool = False
    when: Literal["always", "registered"] = "always"
    memory: MemoryUse | None = None
    hours: TimeUse = "small"

    @property
    def title(self) -> str:
        """The key as the names of constructs and parameters begin with it."""
        return self.key.capitalize()

    @property
    def role(self) -> str:
        """The name of its role: the construct's id, and the definition's placeholder."""
        return f"{self.title}Role"

    @property
    def instance_parameter(self) -> str | None:
        """The pipeline parameter that chooses the instance type, where there is one."""
        return f"{self.title}InstanceType" if self.choosable else None


PREPARE = Job(
    key="prepare",
    step="PrepareData",
    description="Validate, de-duplicate, split and measure the data set",
    api=PROCESSING_API,
    command="prepare",
    image=Image.TRAINING,
    setting="prepare",
    recipe=("model", "data", "training.max_length", "training.seed"),
    reads=(
        Uploaded(name="data", parameter=DATA_URI),
        # The weights aren't needed here, and can be a hundred times as large.
        Uploaded(name="base-model", parameter=BASE_MODEL_URI, part=TOKENIZER_PART),
    ),
    writes=tuple(
        Output(name=name, place=layout.EXECUTIONS)
        for name in ("train", "validation", "test", "general", "rejected", "report")
    ),
)
TRAIN = Job(
    key="train",
    step="FineTune",
    description="Fine-tune an adapter on the quantised base model (QLoRA)",
    api=TRAINING_API,
    command="train",
    image=Image.TRAINING,
    setting="train",
    recipe=("model", "data", "quantization", "lora", "training"),
    reads=(
        Uploaded(name="base-model", parameter=BASE_MODEL_URI, part=MODEL_PART),
        Made(name="train", job="prepare", output="train"),
        Made(name="validation", job="prepare", output="validation"),
    ),
    writes=(Output(name="model", place=layout.TRAINING),),
    checkpoints=layout.CHECKPOINTS,
    choosable=True,
    memory="training",
    hours="training",
)
EVALUATE = Job(
    key="evaluate",
    step="EvaluateModels",
    description="Compare base and tuned model on held-out rows and on a general set",
    api=PROCESSING_API,
    command="evaluate",
    image=Image.TRAINING,
    setting="evaluate",
    recipe=("evaluation",),
    reads=(
        Uploaded(name="base-model", parameter=BASE_MODEL_URI, part=MODEL_PART),
        Made(name="adapter", job="train", output="model"),
        Made(name="test", job="prepare", output="test"),
        Made(name="general", job="prepare", output="general"),
        # So that the base's answers can be seen beside the tuned model's.
        Uploaded(name="questions", parameter=TRANSFORM_INPUT_URI),
    ),
    writes=(Output(name="evaluation", place=layout.EVALUATIONS, property_file="evaluation.json"),),
    choosable=True,
    memory="scoring",
    hours="scoring",
)
PACKAGE = Job(
    key="package",
    step="PackageModel",
    description="Merge adapter and base, and pack them as the one archive that serving takes",
    api=PROCESSING_API,
    command="package",
    image=Image.TRAINING,
    setting="package",
    recipe=("package", "inference"),
    reads=(
        Uploaded(name="base-model", parameter=BASE_MODEL_URI, part=MODEL_PART),
        Made(name="adapter", job="train", output="model"),
    ),
    writes=(Output(name="model", place=layout.PACKAGES, property_file="package.json"),),
    when="registered",
    memory="fusing",
    hours="fusing",
)
TRANSFORM = Job(
    key="transform",
    step="BatchTransform",
    description="Answer the batch of questions with the tuned model",
    api=TRANSFORM_API,
    command="serve",
    image=Image.INFERENCE,
    setting="transform",
    recipe=(),
    reads=(
        Made(name="model", job="package", output="model"),
        Uploaded(name="data", parameter=TRANSFORM_INPUT_URI),
    ),
    writes=(Output(name="answers", place=layout.TRANSFORM),),
    choosable=True,
    when="registered",
    memory="serving",
)
JOBS = (PREPARE, TRAIN, EVALUATE, PACKAGE, TRANSFORM)


def job_of_key(key: str) -> Job:
    """The job of that key."""
    return next(job for job in JOBS if job.key == key)


def job_of_step(step: str) -> Job | None:
    """The job that a step of the definition starts, or None where no entry describes it."""
    return next((job for job in JOBS if job.step == step), None)


def places_read(job: Job) -> tuple[Place, ...]:
    """Where a job reads, each place once, in the order of its inputs."""
    return tuple(dict.fromkeys(place_of(item) for item in job.reads))


def places_written(job: Job) -> tuple[Place, ...]:
    """Where a job leaves its outputs, each place once."""
    return tuple(dict.fromkeys(output.place for output in job.writes))


def places_of_property_files() -> tuple[Place, ...]:
    """Where the pipeline itself reads, each place once."""
    return tuple(dict.fromkeys(output.place for job in JOBS for output in job.writes if output.property_file))


def place_of(source: Uploaded | Made) -> Place:
    """The place that an input lies under."""
    if isinstance(source, Uploaded):
        return source.parameter.place
    return next(output.place for output in job_of_key(source.job).writes if output.name == source.output)
