"""Where everything lies and what it is called, once: S3 places, stacks, pipeline, group, repositories, outputs."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

SCHEME = "s3://"
# On every resource and every job, after the settings' `tag_prefix`; the month's budget counts by both.
PROJECT_TAG, ENVIRONMENT_TAG = "project", "environment"
STANDING_USD_OUTPUT = "StandingUsdPerMonth"
RUN_LOW_USD_OUTPUT, RUN_EXPECTED_USD_OUTPUT, RUN_CEILING_USD_OUTPUT = "RunLowUsd", "RunExpectedUsd", "RunCeilingUsd"
KEY_ARN_OUTPUT = "KeyArn"
PIPELINE_NAME_OUTPUT = "PipelineName"
MODEL_PACKAGE_GROUP_NAME_OUTPUT = "ModelPackageGroupName"
TRAINER_ROLE_ARN_OUTPUT = "TrainerRoleArn"
APPROVER_ROLE_ARN_OUTPUT = "ApproverRoleArn"
OPERATOR_ROLE_ARN_OUTPUT = "OperatorRoleArn"
PROMOTION_BUS_OUTPUT, PROMOTION_LOG_OUTPUT = "PromotionBusName", "PromotionLogGroupName"


class StackName(StrEnum):
    """The stacks that an environment may have."""

    STORAGE = "storage"
    NETWORK = "network"
    IMAGES = "images"
    REGISTRY = "registry"
    PIPELINE = "pipeline"
    PROMOTION = "promotion"
    OBSERVABILITY = "observability"


class Bucket(StrEnum):
    """The buckets, by the names of their constructs."""

    RAW_DATA = "RawData"
    ARTIFACTS = "Artifacts"
    RESULTS = "Results"

    @property
    def output(self) -> str:
        """The storage stack's output that holds the bucket's name."""
        return f"{self}BucketName"


class Image(StrEnum):
    """The container images, by the names of their constructs."""

    TRAINING = "Training"
    INFERENCE = "Inference"

    @property
    def output(self) -> str:
        """The images stack's output that holds the image's URI."""
        return f"{self}ImageUri"


@dataclass(frozen=True, kw_only=True)
class Place:
    """A prefix of a bucket. In a shared one several jobs write, so each output has a folder of its name."""

    bucket: Bucket
    prefix: str
    shared: bool = False

    def key(self, *parts: str) -> str:
        """The key of what lies there under a path."""
        return "/".join((self.prefix, *parts))


DATASETS = Place(bucket=Bucket.RAW_DATA, prefix="datasets")
BATCH_INPUT = Place(bucket=Bucket.RAW_DATA, prefix="batch-input")
BASE_MODELS = Place(bucket=Bucket.ARTIFACTS, prefix="base-models")
TRAINING = Place(bucket=Bucket.ARTIFACTS, prefix="training")
CHECKPOINTS = Place(bucket=Bucket.ARTIFACTS, prefix="checkpoints")
PACKAGES = Place(bucket=Bucket.ARTIFACTS, prefix="packages")
# Versions of another environment, with all that they are judged by; a promotion copies them here.
PROMOTED = Place(bucket=Bucket.ARTIFACTS, prefix="promoted")
EXECUTIONS = Place(bucket=Bucket.RESULTS, prefix="executions", shared=True)
# What the gate reads: nothing but the evaluation may write there.
EVALUATIONS = Place(bucket=Bucket.RESULTS, prefix="evaluations")
TRANSFORM = Place(bucket=Bucket.RESULTS, prefix="transform")
PLACES_FILLED_BY_PEOPLE = (DATASETS, BATCH_INPUT, BASE_MODELS)
PLACES_FILLED_BY_JOBS = (TRAINING, CHECKPOINTS, PACKAGES, EXECUTIONS, EVALUATIONS, TRANSFORM)
# What `tunestack models promote` puts on an environment's bus, as if a version had just been approved.
PROMOTION_REQUEST_SOURCE, PROMOTION_REQUEST = "tunestack", "Model Promotion Requested"
# In a template, on a role that serves another account's versions: which ones.
CONSUMES_METADATA = "tunestack:consumes"
_READ_BY_PROMOTION = ((TRAINING, "*"), (BASE_MODELS, "*"), (PROMOTED, "*"))
_READ_WITH_EXAM = ((EXECUTIONS, "*/test/*"), (EXECUTIONS, "*/general/*"), (BATCH_INPUT, "*"))


def read_by_promotion(*, with_exam: bool) -> tuple[tuple["Place", str], ...]:
    """What a promotion reads of the environment that it promotes from: places, and patterns of keys below them.

    `with_exam`: what a version was judged by comes along.
    """
    return (*_READ_BY_PROMOTION, *(_READ_WITH_EXAM if with_exam else ()))


# A version's metadata that says where what it was made and judged by lies.
ADAPTER, TEST, GENERAL, QUESTIONS, BASE = "adapter_uri", "test_uri", "general_uri", "questions_uri", "base_model_uri"
# What a version is judged by: its scores and its answers.
PLACES_OF_JUDGEMENT = (EVALUATIONS,)
# Of a base model's folder: the whole of it, and what the jobs need that don't read the weights.
MODEL_PART, TOKENIZER_PART = "model", "tokenizer"
# Uploaded last of a model: where it lies, the model is whole.
MODEL_CONFIG = f"{MODEL_PART}/config.json"


class S3Uri(NamedTuple):
    """`s3://BUCKET/KEY`; the key may be a prefix, or empty."""

    bucket: str
    key: str

    @classmethod
    def parse(cls, uri: str) -> "S3Uri":
        """The parts of a URI.

        Raises:
            ValueError: it doesn't begin with `s3://`, or names no bucket.
        """
        bucket, _, key = uri.removeprefix(SCHEME).partition("/")
        if not uri.startswith(SCHEME) or not bucket:
            raise ValueError(f"must be an S3 URI ({SCHEME}BUCKET/KEY), got {uri!r}")
        return cls(bucket=bucket, key=key)

    def __str__(self) -> str:
        return f"{SCHEME}{self.bucket}/{self.key}"


@dataclass(frozen=True, kw_only=True)
class Names:
    """The names of one environment's resources, as far as something outside must find them."""

    project: str
    environment: str
    role_path: str = "/"

    def role(self, name: str) -> str:
        """A role's name with its path, as it stands in an ARN."""
        return f"{self.role_path}{name}".lstrip("/")

    @property
    def prefix(self) -> str:
        """What every name begins with."""
        return f"{self.project}-{self.environment}"

    def stack(self, stack: StackName) -> str:
        return f"{self.prefix}-{stack}"

    def repository(self, image: Image) -> str:
        return f"{self.prefix}-{image.lower()}"

    @property
    def pipeline(self) -> str:
        return f"{self.prefix}-fine-tuning"

    @property
    def model_package_group(self) -> str:
        return f"{self.prefix}-models"

    @property
    def promotion(self) -> str:
        """The pipeline that promoted versions go through; its event bus and its function's role are called so, too."""
        return f"{self.prefix}-promotion"

    @property
    def smoke_run_role(self) -> str:
        """The role that a delivery pipeline runs the pipeline as, after a deployment."""
        return f"{self.prefix}-smoke-run"

    @property
    def smoke_runner(self) -> str:
        """The role of the delivery's own account that takes that one on."""
        return f"{self.project}-delivery-smoke-{self.environment}"

    @property
    def key_alias(self) -> str:
        return f"alias/{self.prefix}"

    def budget(self, region: str) -> str:
        """The month's budget: an account has one of a name, whatever the region."""
        return f"{self.prefix}-{region}-month"
