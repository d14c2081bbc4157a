"""InstancePreferences name the instance types in order, alone: not with a type, groups, placement or spot."""

from tunestack.definition.choices import cluster
from tunestack.definition.subject import PROCESSING, TRAINING, Problems, Subject

KINDS = frozenset({PROCESSING, TRAINING})


def check(subject: Subject) -> Problems:
    place, asked = cluster(subject)
    preferences, where = asked.get("InstancePreferences"), f"{place}.InstancePreferences"
    if not preferences:
        return
    for member in ("InstanceType", "InstanceGroups", "InstancePlacementConfig"):
        if member in asked:
            yield where, f"not together with {member}"
    if subject.arguments.get("EnableManagedSpotTraining"):
        yield where, "not together with spot training"
    counted = ["InstanceCount" in preference for preference in preferences]
    if any(counted) and not all(counted):
        yield where, "InstanceCount on every entry or on none"
