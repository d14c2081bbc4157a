"""A batch transform: `CreateTransformJob`."""

from dataclasses import dataclass
from typing import Any, ClassVar

from tunestack.pipeline.expressions import Get, Json
from tunestack.pipeline.steps.step import JobStep


@dataclass(frozen=True, kw_only=True)
class TransformStep(JobStep):
    """Answers every line of the JSON Lines files under a prefix."""

    type: ClassVar[str] = "Transform"

    model_name: Any
    input_s3_uri: Any
    output_s3_uri: Any
    max_concurrent_transforms: int
    max_payload_mb: int
    ami_version: str | None = None
    """The host's image on GPU types: it decides the NVIDIA driver."""

    def arguments(self) -> Json:
        return {
            "ModelName": self.model_name,
            "MaxConcurrentTransforms": self.max_concurrent_transforms,
            "MaxPayloadInMB": self.max_payload_mb,
            "BatchStrategy": "MultiRecord",
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
