"""A job's disk: its key and its size follow from the instance type."""

from collections.abc import Iterator
from typing import Any

from tunestack.definition.checks.choices import Parameters, instance_choices, number


def check_volume(cluster: dict[str, Any], parameters: Parameters, *, sized: bool = True) -> Iterator[tuple[str, str]]:
    """Problems of a cluster as (member, message).

    A volume key is refused on types with local NVMe storage, which is encrypted by hardware, and a
    customer's key belongs on all others; there the size must be given, too (where the kind of job has one).
    """
    types = list(instance_choices(cluster.get("InstanceType"), parameters))
    local = [instance for instance in types if instance.has_local_storage]
    if local and len(local) < len(types):
        names = ", ".join(instance.name for instance in types)
        yield "InstanceType", f"allowed types must all have a local disk or all have none, got {names}"
    elif local and "VolumeKmsKeyId" in cluster:
        yield "VolumeKmsKeyId", f"is refused with {local[0].name}: its local NVMe disk is encrypted by hardware"
    elif types and not local:
        if "VolumeKmsKeyId" not in cluster:
            yield "VolumeKmsKeyId", f"missing: the volume of {types[0].name} would not be encrypted with your key"
        if sized and "VolumeSizeInGB" not in cluster:
            yield "VolumeSizeInGB", f"missing: {types[0].name} has no local disk"
    size = number(cluster.get("VolumeSizeInGB"))
    for instance in local:
        if size is not None and size > instance.local_nvme_gb:
            yield (
                "VolumeSizeInGB",
                f"must be at most {instance.name}'s disk of {instance.local_nvme_gb:g} GB, got {size}",
            )
