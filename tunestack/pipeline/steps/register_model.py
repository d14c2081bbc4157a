"""A new version in the model registry: `CreateModelPackage`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from tunestack.pipeline.expressions import Json, as_string
from tunestack.pipeline.steps.step import Step


@dataclass(frozen=True, kw_only=True)
class RegisterModelStep(Step):
    """Registers an archive with its image and its metrics; somebody must approve it."""

    type: ClassVar[str] = "RegisterModel"

    model_package_group_name: str
    image_uri: str
    model_data_url: Any
    environment: Mapping[str, Any]
    metrics_s3_uri: Any
    metadata: Mapping[str, Any]

    def arguments(self) -> Json:
        return {
            "ModelPackageGroupName": self.model_package_group_name,
            "ModelApprovalStatus": "PendingManualApproval",
            "InferenceSpecification": {
                "Containers": [
                    {
                        "Image": self.image_uri,
                        "ModelDataUrl": self.model_data_url,
                        "Environment": dict(self.environment),
                    }
                ],
                "SupportedContentTypes": ["application/jsonlines"],
                "SupportedResponseMIMETypes": ["application/jsonlines"],
            },
            "ModelMetrics": {
                "ModelQuality": {"Statistics": {"ContentType": "application/json", "S3Uri": self.metrics_s3_uri}}
            },
            "CustomerMetadataProperties": {key: as_string(value) for key, value in sorted(self.metadata.items())},
        }
