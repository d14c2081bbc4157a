"""What the stacks hold costs a month by use: stored models, images, builds, logs; with what is assumed."""

from collections.abc import Iterator
from dataclasses import dataclass

from tunestack.costs.workload import Workload
from tunestack.sizing.precision import BYTES

# A training image with CUDA, and a serving one, compressed as ECR counts them.
IMAGES_GB = (6.0, 2.0)
# Both images are built again when something in them changes: about once a month.
BUILDS_A_MONTH, MINUTES_A_BUILD = 2, 12
# Every job's log, and what encrypting and reading a run's objects asks of KMS.
LOG_GB_A_RUN, KMS_REQUESTS_A_RUN = 0.05, 20_000


@dataclass(frozen=True, kw_only=True)
class Usage:
    """So many units a month of something that the catalogue prices."""

    service: str
    item: str
    units: float
    what: str


def storage_usage(workload: Workload) -> tuple[Usage, ...]:
    """The base model, a month's runs' packed models and checkpoints in S3, and KMS's requests."""
    runs = workload.settings.environment.budget.runs_per_month
    kms = Usage(
        service="KMS", item="Requests (symmetric, RSA 2048)", units=runs * KMS_REQUESTS_A_RUN / 10_000,
        what=f"requests of {runs} runs",
    )  # fmt: skip
    return (*_stored_models(workload, runs), kms)


def _stored_models(workload: Workload, runs: int) -> Iterator[Usage]:
    architecture, package = workload.architecture, workload.recipe.package
    if architecture is None:
        return
    packed_bytes = BYTES["fp32" if package.save_dtype == "float32" else "bf16"] if package.fuse else 2
    gb = architecture.parameters * (2 + runs * packed_bytes) / 1e9
    yield Usage(
        service="S3", item="Standard storage, first 50 TB", units=gb,
        what=f"{gb:,.1f} GB: the base model and {runs} packed ones",
    )  # fmt: skip


def images_usage() -> tuple[Usage, ...]:
    """Both images in ECR, and their builds."""
    gb, minutes = sum(IMAGES_GB), BUILDS_A_MONTH * MINUTES_A_BUILD
    return (
        Usage(service="ECR", item="Private storage", units=gb, what=f"{gb:g} GB of images"),
        Usage(service="CodeBuild", item="Linux general1.large", units=minutes, what=f"{minutes} minutes of builds"),
    )


def pipeline_usage(workload: Workload) -> tuple[Usage, ...]:
    """The jobs' logs."""
    gb = workload.settings.environment.budget.runs_per_month * LOG_GB_A_RUN
    return (Usage(service="CloudWatch", item="Logs ingestion, Standard", units=gb, what=f"{gb:g} GB of logs"),)
