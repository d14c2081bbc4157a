"""What CreateTrainingJob asks for beyond its shapes."""

from collections.abc import Iterator
from typing import Any

from tunestack.definition.checks.choices import Parameters, instance_choices, number
from tunestack.definition.checks.volumes import check_volume

LONGEST_RUN_SECONDS = 28 * 24 * 3600


def check_training(arguments: dict[str, Any], parameters: Parameters) -> Iterator[tuple[str, str]]:
    """Problems as (member, message)."""
    if "ServerlessJobConfig" not in arguments:
        for member in ("AlgorithmSpecification", "ResourceConfig", "StoppingCondition", "OutputDataConfig"):
            if member not in arguments:
                yield member, "missing"
    algorithm = arguments.get("AlgorithmSpecification", {})
    if algorithm and ("AlgorithmName" in algorithm) == ("TrainingImage" in algorithm):
        yield "AlgorithmSpecification", "needs exactly one of AlgorithmName and TrainingImage"
    if arguments.get("OutputDataConfig") and "KmsKeyId" not in arguments["OutputDataConfig"]:
        yield "OutputDataConfig.KmsKeyId", "missing: outputs would not be encrypted with your key"
    if len(arguments.get("HyperParameters", {})) > 100:
        yield "HyperParameters", f"must be at most 100 entries, got {len(arguments['HyperParameters'])}"
    cluster = arguments.get("ResourceConfig", {})
    for member, message in check_volume(cluster, parameters):
        yield f"ResourceConfig.{member}", message
    yield from _check_preferences(arguments, cluster)
    yield from _check_times(arguments, cluster, parameters)


def _check_preferences(arguments: dict[str, Any], cluster: dict[str, Any]) -> Iterator[tuple[str, str]]:
    preferences = cluster.get("InstancePreferences")
    if not preferences:
        return
    where = "ResourceConfig.InstancePreferences"
    for member in ("InstanceType", "InstanceGroups", "InstancePlacementConfig"):
        if member in cluster:
            yield where, f"not together with {member}"
    if arguments.get("EnableManagedSpotTraining"):
        yield where, "not together with spot training"
    counted = ["InstanceCount" in preference for preference in preferences]
    if any(counted) and not all(counted):
        yield where, "InstanceCount on every entry or on none"


def _check_times(
    arguments: dict[str, Any], cluster: dict[str, Any], parameters: Parameters
) -> Iterator[tuple[str, str]]:
    stopping = arguments.get("StoppingCondition", {})
    spot = bool(arguments.get("EnableManagedSpotTraining"))
    runtime, wait = number(stopping.get("MaxRuntimeInSeconds")), stopping.get("MaxWaitTimeInSeconds")
    if runtime is not None and runtime > LONGEST_RUN_SECONDS:
        yield "StoppingCondition.MaxRuntimeInSeconds", f"must be at most 28 days ({LONGEST_RUN_SECONDS}), got {runtime}"
    if wait is not None and not spot:
        yield "StoppingCondition.MaxWaitTimeInSeconds", "only with EnableManagedSpotTraining"
    if spot and wait is None:
        yield "StoppingCondition.MaxWaitTimeInSeconds", "missing: spot training needs it"
    if spot and runtime is not None and (waited := number(wait)) is not None and waited < runtime:
        yield "StoppingCondition.MaxWaitTimeInSeconds", f"must be at least MaxRuntimeInSeconds ({runtime}), got {wait}"
    if spot and "CheckpointConfig" not in arguments:
        yield "CheckpointConfig", "missing: an interrupted spot training would start anew"
    types = list(instance_choices(cluster.get("InstanceType"), parameters))
    if "MaxPendingTimeInSeconds" in stopping and any(not instance.gpus for instance in types):
        yield "StoppingCondition.MaxPendingTimeInSeconds", "only for GPU types"
