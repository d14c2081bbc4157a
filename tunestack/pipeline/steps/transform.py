"""A batch transform: `CreateTransformJob`."""

from dataclasses import dataclass
from typing import Any, ClassVar

from tunestack.job_api import MAX_RUNTIME_VARIABLE
from tunestack.pipeline.expressions import Get, Json
from tunestack.pipeline.steps.step import JobStep

# A row waits for the answers before its own; an hour is the most that the API takes.
MOST_INVOCATION_SECONDS = 3600
INVOCATION_RETRIES = 1


@dataclass(frozen=True, kw_only=True)
class TransformStep(JobStep):
    """Answers every line of the JSON Lines files under a prefix, one line in a request.

    Requests of many lines would have to be answered within an hour at most, however long the answers are.
    """

    type: ClassVar[str] = "Transform"

    model_name: Any
    input_s3_uri: Any
    output_s3_uri: Any
    rows_at_once: int
    """Requests under way; the server answers together what waits."""
    ami_version: str | None = None
    """The host's image on GPU types: it decides the NVIDIA driver."""

    def arguments(self) -> Json:
        return {
            "ModelName": self.model_name,
            "MaxConcurrentTransforms": self.rows_at_once,
            "MaxPayloadInMB": 1,
            "BatchStrategy": "SingleRecord",
            "ModelClientConfig": {
                "InvocationsTimeoutInSeconds": MOST_INVOCATION_SECONDS,
                "InvocationsMaxRetries": INVOCATION_RETRIES,
            },
            "Environment": {MAX_RUNTIME_VARIABLE: str(self.hardware.max_runtime_seconds)},
            "TransformInput": {
                "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": self.input_s3_uri}},
                "ContentType": "application/jsonlines",
                "SplitType": "Line",
                "CompressionType": "None",
            },
            "TransformOutput": {
                "S3OutputPath": self.output_s3_uri,
                "Accept": "application/jsonlines",
                "AssembleWith": "Line",
                "KmsKeyId": self.job.kms_key,
            },
            "TransformResources": {
                "InstanceCount": 1,
                "InstanceType": self.hardware.instance_type,
                "VolumeKmsKeyId": None if self.hardware.local_storage else self.job.kms_key,
                "TransformAmiVersion": self.ami_version,
            },
            "Tags": self.job.tag_list(),
        }

    def output(self, name: str) -> Get:
        """A transform has one output, its answers."""
        return self.get("TransformOutput.S3OutputPath")
