"""SageMaker's kinds of job, once: each under all the names that it goes by."""

from dataclasses import dataclass

from tunestack.catalogue.instances import JobKind
from tunestack.catalogue.quotas import QuotaUse

# A transform's time limit: SageMaker has none, our server keeps it (training_code/tunestack_training/serve.py).
MAX_RUNTIME_VARIABLE = "TUNESTACK_MAX_RUNTIME_SECONDS"


@dataclass(frozen=True, kw_only=True)
class Api:
    """One of SageMaker's kinds of job, under each of the names that it goes by."""

    step_type: str
    noun: str
    resource: str
    kind: JobKind
    quota_use: QuotaUse
    # Where a request says what the job runs on.
    cluster: tuple[str, ...]

    @property
    def log_group(self) -> str:
        """Where SageMaker writes the logs of such jobs."""
        return f"/aws/sagemaker/{self.noun}s"


PROCESSING_API = Api(
    step_type="Processing",
    noun="ProcessingJob",
    resource="processing-job",
    kind="processing",
    quota_use="processing job",
    cluster=("ProcessingResources", "ClusterConfig"),
)
TRAINING_API = Api(
    step_type="Training",
    noun="TrainingJob",
    resource="training-job",
    kind="training",
    quota_use="training job",
    cluster=("ResourceConfig",),
)
TRANSFORM_API = Api(
    step_type="Transform",
    noun="TransformJob",
    resource="transform-job",
    kind="transform",
    quota_use="transform job",
    cluster=("TransformResources",),
)
APIS = (PROCESSING_API, TRAINING_API, TRANSFORM_API)
