"""A model that a transform or an endpoint can use: `CreateModel`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from tunestack.pipeline.expressions import Get, Json
from tunestack.pipeline.job_defaults import JobDefaults
from tunestack.pipeline.steps.step import Step


@dataclass(frozen=True, kw_only=True)
class CreateModelStep(Step):
    """Puts an archive and an image together. A transform's network and isolation are its model's."""

    type: ClassVar[str] = "Model"

    job: JobDefaults
    role_arn: str
    image_uri: str
    model_data_url: Any
    environment: Mapping[str, Any]

    def arguments(self) -> Json:
        return {
            "ExecutionRoleArn": self.role_arn,
            "PrimaryContainer": {
                "Image": self.image_uri,
                # A batch transform refuses ModelDataSource: one archive it is.
                "ModelDataUrl": self.model_data_url,
                "Environment": dict(self.environment),
            },
            "EnableNetworkIsolation": True,
            "VpcConfig": self.job.vpc.to_request() if self.job.vpc else None,
            "Tags": self.job.tag_list(),
        }

    @property
    def model_name(self) -> Get:
        """The name that the service gives to the model."""
        return self.get("ModelName")
