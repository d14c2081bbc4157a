"""A job must encrypt its volume with a KMS key of yours, unless local disks encrypt by hardware."""

from tunestack.definition.choices import cluster, instance_choices
from tunestack.definition.subject import PROCESSING, TRAINING, TRANSFORM, Problems, Subject

KINDS = frozenset({PROCESSING, TRAINING, TRANSFORM})


def check(subject: Subject) -> Problems:
    where, asked = cluster(subject)
    types = list(instance_choices(subject))
    if types and not any(instance.has_local_storage for instance in types) and "VolumeKmsKeyId" not in asked:
        message = f"missing: the volume of {types[0].name} would not be encrypted with your key"
        yield f"{where}.VolumeKmsKeyId", message
