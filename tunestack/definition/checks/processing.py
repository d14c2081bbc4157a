"""What CreateProcessingJob asks for beyond its shapes."""

from collections.abc import Iterator
from typing import Any

from tunestack.definition.checks.choices import Parameters
from tunestack.definition.checks.volumes import check_volume


def check_processing(arguments: dict[str, Any], parameters: Parameters) -> Iterator[tuple[str, str]]:
    """Problems as (member, message)."""
    resources = arguments.get("ProcessingResources", {})
    cluster = resources.get("ClusterConfig", {})
    for member, message in check_volume(cluster, parameters):
        yield f"ProcessingResources.ClusterConfig.{member}", message
    if "InstancePreferences" in resources and "InstanceType" in cluster:
        yield "ProcessingResources.InstancePreferences", "not together with InstanceType"
    for index, item in enumerate(arguments.get("ProcessingInputs", [])):
        where = f"ProcessingInputs[{index}]"
        if ("S3Input" in item) == ("DatasetDefinition" in item):
            yield where, "needs exactly one of S3Input and DatasetDefinition"
        yield from _check_local_path(f"{where}.S3Input", item.get("S3Input", {}))
    for index, item in enumerate(arguments.get("ProcessingOutputConfig", {}).get("Outputs", [])):
        yield from _check_local_path(f"ProcessingOutputConfig.Outputs[{index}].S3Output", item.get("S3Output", {}))
    outputs = arguments.get("ProcessingOutputConfig")
    if outputs and outputs.get("Outputs") and "KmsKeyId" not in outputs:
        yield "ProcessingOutputConfig.KmsKeyId", "missing: outputs would not be encrypted with your key"


def _check_local_path(where: str, place: dict[str, Any]) -> Iterator[tuple[str, str]]:
    path = place.get("LocalPath")
    if isinstance(path, str) and not path.startswith("/opt/ml/processing/"):
        yield f"{where}.LocalPath", f"must be under /opt/ml/processing/, got {path!r}"
