"""The settings of one environment: everything that differs between dev, staging, prod and local."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from tunestack.catalogue import find_instance, instance_types
from tunestack.catalogue.assumptions import SPOT_SAVINGS
from tunestack.errors import nearest
from tunestack.jobs import JOBS, Job
from tunestack.layout import Image

Gb = Annotated[int, Field(ge=1, le=16_384)]
Minutes = Annotated[int, Field(ge=1, le=40_320)]
Days = Annotated[int, Field(ge=1, le=3_650)]
# TRL refuses the DataParallel that transformers would spread a training with.
ONE_GPU = "ml.g6e.2xlarge"
RETENTION_DAYS = Literal[1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1827, 3653]


class Section(BaseModel):
    """A part of the settings: frozen, and an unknown key in it is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Storage(Section):
    """The buckets: what is kept, and for how long."""

    delete_data_on_destroy: bool = False
    """Whether `cdk destroy` deletes buckets with their data, keys and registry. It counts in `dev` and
    `local` only: elsewhere they are always kept."""
    checkpoints_expire_after_days: Days = 14
    """When a training's checkpoints are deleted."""
    old_versions_expire_after_days: Days = 30
    """When an overwritten or deleted object is gone for good."""
    access_logs_expire_after_days: Days = 90
    """How long the record of who read which object is kept."""


class Network(Section):
    """The network that the jobs run in."""

    private_vpc: bool = True
    """A VPC without internet access, with the endpoints that the jobs need; false: no VPC at all, which
    saves the endpoints' standing cost."""
    cidr: Annotated[str, Field(pattern=r"^(10|172|192)\.\d{1,3}\.\d{1,3}\.0/(1[6-9]|2[0-4])$")] = "10.20.0.0/16"
    """The VPC's private addresses; choose a range of its own where networks are joined."""
    availability_zones: Annotated[int, Field(ge=1, le=3)] = 2
    """Each zone adds an address, and its hourly price, to every interface endpoint."""


class Security(Section):
    """What binds every role of an environment."""

    permissions_boundary: Annotated[str, Field(pattern=r"^[\w+=,.@-]{1,128}$")] | None = None
    """The name of an IAM policy in the account that bounds every role."""


class Images(Section):
    """How the training and inference images are built."""

    training_base_image: Annotated[str, Field(min_length=1, max_length=300)] = "python:3.11-slim-bookworm"
    """What `training_code/Dockerfile` builds on: a public image, or an AWS deep learning container."""
    inference_base_image: Annotated[str, Field(min_length=1, max_length=300)] = "python:3.11-slim-bookworm"
    """What the serving image is built on; on GPU types, its CUDA must fit ami_version's driver."""
    keep_last: Annotated[int, Field(ge=2, le=1000)] = 10
    """Older images are deleted."""

    def base_image(self, image: Image) -> str:
        """What an image is built on."""
        return {Image.TRAINING: self.training_base_image, Image.INFERENCE: self.inference_base_image}[image]


class JobSettings(Section):
    """What a kind of job runs on."""

    instance_type: str
    """The default; a run can choose another of `allowed_instance_types`."""
    allowed_instance_types: list[str] = []
    """What a run may choose; empty: the default alone."""
    volume_size_gb: Gb = 30
    """Disk for inputs and outputs, on instance types without a local one."""
    max_runtime_minutes: Minutes = 60
    """A longer job is stopped: the ceiling of what it can cost."""

    @property
    def instance_choices(self) -> list[str]:
        """The default first, then what else is allowed."""
        return list(dict.fromkeys([self.instance_type, *self.allowed_instance_types]))


class TrainJobSettings(JobSettings):
    """What the fine-tuning runs on."""

    spot: bool = False
    """Managed spot training: cheaper, and interrupted now and then; it resumes from its checkpoint."""
    max_wait_minutes: Minutes | None = None
    """With spot: run and wait together, at least max_runtime_minutes."""

    @model_validator(mode="after")
    def _wait_fits(self) -> "TrainJobSettings":
        if not self.spot and self.max_wait_minutes is not None:
            raise ValueError("max_wait_minutes counts with spot: true only; leave it out")
        if self.spot and (self.max_wait_minutes or 0) < self.max_runtime_minutes:
            raise ValueError(
                f"with spot, max_wait_minutes must be at least max_runtime_minutes ({self.max_runtime_minutes}), "
                f"got {self.max_wait_minutes}"
            )
        return self


class TransformJobSettings(JobSettings):
    """What the batch transform runs on."""

    max_concurrent_transforms: Annotated[int, Field(ge=1, le=100)] = 1
    """Requests that an instance of the batch transform answers at once."""
    max_payload_mb: Annotated[int, Field(ge=1, le=100)] = 6
    """The largest request; times max_concurrent_transforms at most 100."""
    ami_version: Literal["al2-ami-sagemaker-batch-gpu-470", "al2-ami-sagemaker-batch-gpu-535"] | None = None
    """The host's image on GPU types, which decides the NVIDIA driver: the inference image's CUDA must fit it."""

    @model_validator(mode="after")
    def _payload_fits(self) -> "TransformJobSettings":
        if self.max_concurrent_transforms * self.max_payload_mb > 100:
            raise ValueError(
                "max_concurrent_transforms × max_payload_mb must be at most 100, got "
                f"{self.max_concurrent_transforms} × {self.max_payload_mb}"
            )
        on_gpu = any((found := find_instance(name)) and found.gpus for name in self.instance_choices)
        if on_gpu and self.ami_version is None:
            raise ValueError(
                "a GPU type needs ami_version: al2-ami-sagemaker-batch-gpu-535, and an inference image whose CUDA "
                "that driver runs (12, not 13)"
            )
        return self


class JobsSettings(Section):
    """What each kind of job runs on."""

    prepare: JobSettings
    train: TrainJobSettings
    evaluate: JobSettings
    package: JobSettings
    """Packs the model that the registry's version points to; needs memory for the unquantised weights, no GPU."""
    transform: TransformJobSettings

    def of(self, job: Job) -> JobSettings:
        """What a job of the pipeline runs on."""
        found: JobSettings = getattr(self, job.setting)
        return found

    @field_validator("*", mode="after")
    @classmethod
    def _instances_can_do_it(cls, settings: JobSettings, info: ValidationInfo) -> JobSettings:
        kinds = {job.api.kind for job in JOBS if job.setting == info.field_name}
        sorts = set()
        for name in settings.instance_choices:
            instance = find_instance(name)
            if instance is None:
                raise ValueError(f"unknown instance type {name!r}; {nearest(name, instance_types())}")
            if missing := sorted(kinds - instance.allowed_for):
                raise ValueError(f"SageMaker has no {name} for {missing[0]} jobs")
            if "training" in kinds and instance.gpus > 1:
                raise ValueError(
                    f"{name} has {instance.gpus} GPUs, and the training uses one: choose a type with one GPU, such as "
                    f"{ONE_GPU}"
                )
            sorts.add(instance.has_local_storage)
        if len(sorts) > 1:
            raise ValueError(
                "allowed_instance_types mixes types with a local disk and without: a volume's encryption key must be "
                f"given for the one sort and is refused for the other; got {', '.join(settings.instance_choices)}"
            )
        return settings


class Costs(Section):
    """What the cost of a run is estimated from."""

    training_tokens: Annotated[int, Field(ge=1)] = 1_000_000
    """The data set's size in tokens: rows × tokens a row, as PrepareData's report gives it."""
    config_json: str | None = None
    """The path of the model's config.json, for a model that the catalogue has no preset of."""
    spot_savings: Annotated[float, Field(ge=0, lt=1)] = SPOT_SAVINGS
    """The share of the on-demand price that spot is assumed to save; public logs show 0.54 to 0.78."""


class Budget(Section):
    """What may be spent: a synthesis that would exceed it fails (`-c allow=budget` lets it pass, and records it)."""

    run_usd: Annotated[float, Field(gt=0)] | None = None
    """What a run may be expected to cost."""
    month_usd: Annotated[float, Field(gt=0)] | None = None
    """What runs_per_month runs and the stacks' standing cost may come to."""
    runs_per_month: Annotated[int, Field(ge=1, le=10_000)] = 4
    """How many runs a month are counted."""
    deadline_hours: Annotated[float, Field(gt=0)] | None = None
    """How long the training may be expected to take."""
    alert_emails: list[Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$", max_length=50)]] = []
    """Who is told when 80 % of month_usd are spent or more than all of it is forecast; an AWS Budget watches."""

    @model_validator(mode="after")
    def _alerts_have_a_limit(self) -> "Budget":
        if self.alert_emails and self.month_usd is None:
            raise ValueError("alert_emails needs month_usd: the budget that is watched")
        return self


class Registry(Section):
    """Who else may read the model registry."""

    consumer_accounts: list[Annotated[str, Field(pattern=r"^\d{12}$")]] = []
    """AWS accounts that may read the registered versions."""


class Environment(Section):
    """One environment of the kit, as `config/<name>.yaml` gives it."""

    project: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{1,18}[a-z0-9]$")] = "tunestack"
    """What the stacks' and the pipeline's names begin with."""
    account: Annotated[str, Field(pattern=r"^\d{12}$")] | None = None
    """The AWS account; null: the one that the credentials belong to."""
    region: Annotated[str, Field(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")] = "us-east-1"
    """The AWS region; costs are counted at its prices."""
    recipe: Annotated[str, Field(min_length=1)]
    """The recipe, a file under `config/recipes/`."""
    storage: Storage = Storage()
    network: Network = Network()
    security: Security = Security()
    images: Images = Images()
    registry: Registry = Registry()
    jobs: JobsSettings
    costs: Costs = Costs()
    budget: Budget = Budget()
    log_retention_days: RETENTION_DAYS = 90
    """How long the jobs' and builds' logs are kept."""
    tags: dict[Annotated[str, Field(pattern=r"^[\w+\-=.:/@ ]{1,128}$")], Annotated[str, Field(max_length=256)]] = {}
    """Put on every resource and every job; cost allocation reads them."""
