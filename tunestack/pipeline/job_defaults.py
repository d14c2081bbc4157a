"""What every job of an environment has in common: isolation, encryption, network, tags, hardware, limits."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tunestack.pipeline.expressions import Json


@dataclass(frozen=True, kw_only=True)
class Vpc:
    """The subnets and security groups that jobs run in."""

    subnet_ids: tuple[str, ...]
    security_group_ids: tuple[str, ...]

    def to_request(self) -> Json:
        return {"SecurityGroupIds": list(self.security_group_ids), "Subnets": list(self.subnet_ids)}


@dataclass(frozen=True, kw_only=True)
class JobDefaults:
    """What an environment gives to each of its jobs. Jobs are always isolated from the network."""

    kms_key: str
    vpc: Vpc | None
    tags: Mapping[str, str]

    def tag_list(self) -> Json:
        return [{"Key": key, "Value": value} for key, value in sorted(self.tags.items())]

    def network_config(self) -> Json:
        """The network of a processing job."""
        return {
            "EnableInterContainerTrafficEncryption": True,
            "EnableNetworkIsolation": True,
            "VpcConfig": self.vpc.to_request() if self.vpc else None,
        }


@dataclass(frozen=True, kw_only=True)
class Hardware:
    """What a job runs on, and for how long at the most.

    `instance_type` may be a parameter; `local_storage` says whether its types have a local NVMe disk,
    which is encrypted by hardware: the API refuses a volume key there and fixes the volume's size.
    """

    instance_type: Any
    local_storage: bool
    volume_size_gb: int
    max_runtime_seconds: int

    def cluster(self, kms_key: str) -> Json:
        """The cluster of a processing or training job."""
        return {
            "InstanceCount": 1,
            "InstanceType": self.instance_type,
            "VolumeKmsKeyId": None if self.local_storage else kms_key,
            "VolumeSizeInGB": self.volume_size_gb,
        }
