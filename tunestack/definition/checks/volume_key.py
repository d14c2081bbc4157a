"""A volume key is refused with local NVMe storage, which hardware encrypts, and belongs on all other types."""

from tunestack.definition.checks.choices import cluster, instance_choices
from tunestack.definition.checks.subject import PROCESSING, TRAINING, TRANSFORM, Problems, Subject

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
    elif types and not local and "VolumeKmsKeyId" not in asked:
        message = f"missing: the volume of {types[0].name} would not be encrypted with your key"
        yield f"{where}.VolumeKmsKeyId", message
