"""A volume key is refused with local NVMe storage, which hardware encrypts."""

from tunestack.definition.choices import cluster, instance_choices
from tunestack.definition.subject import PROCESSING, TRAINING, TRANSFORM, Problems, Subject

KINDS = frozenset({PROCESSING, TRAINING, TRANSFORM})


def check(subject: Subject) -> Problems:
    where, asked = cluster(subject)
    types = list(instance_choices(subject))
    local = [instance for instance in types if instance.has_local_storage]
    if local and len(local) < len(types):
        names = ", ".join(instance.name for instance in types)
        yield f"{where}.InstanceType", f"allowed types must all have a local disk or all have none, got {names}"
    elif local and "VolumeKmsKeyId" in asked:
        message = f"is refused with {local[0].name}: its local NVMe disk is encrypted by hardware"
        yield f"{where}.VolumeKmsKeyId", message
