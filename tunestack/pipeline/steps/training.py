"""A training job: `CreateTrainingJob`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from tunestack.pipeline.expressions import Get, Json, as_string
from tunestack.pipeline.steps.step import JobStep


@dataclass(frozen=True, kw_only=True)
class Channel:
    """What is copied from S3 to `/opt/ml/input/data/NAME` before the job starts."""

    name: str
    s3_uri: Any

    def to_request(self) -> Json:
        return {
            "ChannelName": self.name,
            "DataSource": {
                "S3DataSource": {
                    "S3DataType": "S3Prefix",
                    "S3Uri": self.s3_uri,
                    "S3DataDistributionType": "FullyReplicated",
                }
            },
            "InputMode": "File",
        }


@dataclass(frozen=True, kw_only=True)
class MetricDefinition:
    """A metric that SageMaker reads off the log; the regex has one group, the value."""

    name: str
    regex: str

    def to_request(self) -> Json:
        return {"Name": self.name, "Regex": self.regex}


@dataclass(frozen=True, kw_only=True)
class Spot:
    """Managed spot training; waiting and running together take at most so long."""

    max_wait_seconds: int


@dataclass(frozen=True, kw_only=True)
class TrainingStep(JobStep):
    """Runs the image's `train` over channels from S3, with checkpoints kept in S3 while it runs."""

    type: ClassVar[str] = "Training"

    role_arn: str
    image_uri: str
    hyperparameters: Mapping[str, Any]
    channels: tuple[Channel, ...]
    metrics: tuple[MetricDefinition, ...]
    output_s3_uri: Any
    checkpoint_s3_uri: Any
    spot: Spot | None = None

    def arguments(self) -> Json:
        return {
            "AlgorithmSpecification": {
                "TrainingImage": self.image_uri,
                "TrainingInputMode": "File",
                "MetricDefinitions": [metric.to_request() for metric in self.metrics],
            },
            "RoleArn": self.role_arn,
            "HyperParameters": {key: as_string(value) for key, value in sorted(self.hyperparameters.items())},
            "InputDataConfig": [channel.to_request() for channel in self.channels],
            # Files under a prefix, not one archive: later steps read them as they are.
            "OutputDataConfig": {
                "S3OutputPath": self.output_s3_uri,
                "KmsKeyId": self.job.kms_key,
                "CompressionType": "NONE",
            },
            "CheckpointConfig": {"S3Uri": self.checkpoint_s3_uri, "LocalPath": "/opt/ml/checkpoints"},
            "ResourceConfig": self.hardware.cluster(self.job.kms_key),
            "StoppingCondition": {
                "MaxRuntimeInSeconds": self.hardware.max_runtime_seconds,
                "MaxWaitTimeInSeconds": self.spot.max_wait_seconds if self.spot else None,
            },
            "EnableManagedSpotTraining": True if self.spot else None,
            "EnableNetworkIsolation": True,
            "EnableInterContainerTrafficEncryption": True,
            "VpcConfig": self.job.vpc.to_request() if self.job.vpc else None,
            "Tags": self.job.tag_list(),
        }

    def output(self, name: str) -> Get:
        """A training has one output, its model."""
        return self.get("ModelArtifacts.S3ModelArtifacts")
