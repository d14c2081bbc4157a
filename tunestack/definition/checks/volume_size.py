"""A volume has a size where there is no local disk, and is no larger than a local disk."""

from tunestack.definition.choices import cluster, instance_choices, number
from tunestack.definition.subject import PROCESSING, TRAINING, Problems, Subject

KINDS = frozenset({PROCESSING, TRAINING})


def check(subject: Subject) -> Problems:
    where, asked = cluster(subject)
    types = list(instance_choices(subject))
    if types and not any(instance.has_local_storage for instance in types) and "VolumeSizeInGB" not in asked:
        yield f"{where}.VolumeSizeInGB", f"missing: {types[0].name} has no local disk"
    size = number(asked.get("VolumeSizeInGB"))
    for instance in types:
        if instance.has_local_storage and size is not None and size > instance.local_nvme_gb:
            limit = f"{instance.name}'s disk of {instance.local_nvme_gb:g} GB"
            yield f"{where}.VolumeSizeInGB", f"must be at most {limit}, got {size}"
