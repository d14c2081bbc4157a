"""A processing job: `CreateProcessingJob`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from tunestack.definition.property_path import uri_of_output
from tunestack.pipeline.expressions import Get, Json, PropertyFile, as_string
from tunestack.pipeline.steps.step import JobStep


@dataclass(frozen=True, kw_only=True)
class ProcessingInput:
    """What is copied from S3 to `/opt/ml/processing/input/NAME` before the job starts."""

    name: str
    s3_uri: Any

    def to_request(self) -> Json:
        return {
            "InputName": self.name,
            "AppManaged": False,
            "S3Input": {
                "S3Uri": self.s3_uri,
                "LocalPath": f"/opt/ml/processing/input/{self.name}",
                "S3DataType": "S3Prefix",
                "S3InputMode": "File",
                "S3DataDistributionType": "FullyReplicated",
                "S3CompressionType": "None",
            },
        }


@dataclass(frozen=True, kw_only=True)
class ProcessingOutput:
    """What is copied from `/opt/ml/processing/output/NAME` to S3 after the job."""

    name: str
    s3_uri: Any

    def to_request(self) -> Json:
        return {
            "OutputName": self.name,
            "AppManaged": False,
            "S3Output": {
                "S3Uri": self.s3_uri,
                "LocalPath": f"/opt/ml/processing/output/{self.name}",
                "S3UploadMode": "EndOfJob",
            },
        }


@dataclass(frozen=True, kw_only=True)
class ProcessingStep(JobStep):
    """Runs a command of the image over inputs from S3."""

    type: ClassVar[str] = "Processing"

    role_arn: str
    image_uri: str
    entrypoint: tuple[str, ...]
    options: Mapping[str, Any]
    """Given to the command as `--set KEY=VALUE`, in the order of the keys."""
    inputs: tuple[ProcessingInput, ...]
    outputs: tuple[ProcessingOutput, ...]
    property_files: tuple[PropertyFile, ...] = ()

    def arguments(self) -> Json:
        return {
            "ProcessingResources": {"ClusterConfig": self.hardware.cluster(self.job.kms_key)},
            "AppSpecification": {
                "ImageUri": self.image_uri,
                "ContainerEntrypoint": list(self.entrypoint),
                "ContainerArguments": self._container_arguments(),
            },
            "RoleArn": self.role_arn,
            "ProcessingInputs": [item.to_request() for item in self.inputs],
            "ProcessingOutputConfig": {
                "Outputs": [item.to_request() for item in self.outputs],
                "KmsKeyId": self.job.kms_key,
            },
            "StoppingCondition": {"MaxRuntimeInSeconds": self.hardware.max_runtime_seconds},
            "NetworkConfig": self.job.network_config(),
            "Tags": self.job.tag_list(),
        }

    def extras(self) -> dict[str, Json]:
        return {"PropertyFiles": [file.declaration() for file in self.property_files]} if self.property_files else {}

    def output(self, name: str) -> Get:
        return self.get(uri_of_output(name))

    def _container_arguments(self) -> list[Any] | None:
        # The API wants at least one argument or no list at all.
        flat: list[Any] = []
        for key, value in sorted(self.options.items()):
            flat += ["--set", key, as_string(value)]
        return flat or None
