"""What each kind of job runs on."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from tunestack.catalogue import find_instance, instance_types
from tunestack.catalogue.gpus import Gpu
from tunestack.errors import nearest
from tunestack.jobs import JOBS, Job
from tunestack.layout import Image
from tunestack.settings.section import Section

Gb = Annotated[int, Field(ge=1, le=16_384)]
Minutes = Annotated[int, Field(ge=1, le=40_320)]
# TRL refuses the DataParallel that transformers would spread a training with.
ONE_GPU = "ml.g6e.2xlarge"


class JobSettings(Section):
    """What a kind of job runs on."""

    instance_type: str
    """The default; a run can choose another of `allowed_instance_types`."""
    allowed_instance_types: list[str] = []
    """What a run may choose; empty: the default alone."""
    volume_size_gb: Gb = 30
    """Disk for inputs and outputs, on instance types without a local one."""
    max_runtime_minutes: Minutes = 60
    """A longer job is stopped: the ceiling of what it can cost. (SageMaker has no limit for a batch transform: its
    server answers no further row after so long, each with an `error`, and the job ends.)"""

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

    ami_version: Literal["al2-ami-sagemaker-batch-gpu-535"] | None = None
    """The host's image on GPU types, which decides the NVIDIA driver: 535 runs CUDA 12, the older 470 doesn't."""

    @model_validator(mode="after")
    def _gpus_have_a_driver(self) -> "TransformJobSettings":
        on_gpu = any((found := find_instance(name)) and found.gpus for name in self.instance_choices)
        if on_gpu and self.ami_version is None:
            raise ValueError("a GPU type needs ami_version: al2-ami-sagemaker-batch-gpu-535")
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

    def gpus(self, image: Image) -> Iterator[tuple[str, Gpu]]:
        """The GPU types that an image's jobs may run on."""
        for job in JOBS:
            if job.image is image:
                for name in self.of(job).instance_choices:
                    if (instance := find_instance(name)) and instance.gpu:
                        yield name, instance.gpu

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
