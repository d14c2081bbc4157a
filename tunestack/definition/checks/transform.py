"""What CreateTransformJob asks for beyond its shapes."""

from collections.abc import Iterator
from typing import Any

from tunestack.definition.checks.choices import Parameters, instance_choices, number
from tunestack.definition.checks.volumes import check_volume


def check_transform(arguments: dict[str, Any], parameters: Parameters) -> Iterator[tuple[str, str]]:
    """Problems as (member, message)."""
    resources = arguments.get("TransformResources", {})
    for member, message in check_volume(resources, parameters, sized=False):
        yield f"TransformResources.{member}", message
    if "TransformAmiVersion" not in resources:
        for instance in instance_choices(resources.get("InstanceType"), parameters):
            if instance.gpus:
                message = f"missing: {instance.name} would get the oldest NVIDIA driver (470)"
                yield "TransformResources.TransformAmiVersion", message
                break
    if arguments.get("TransformOutput") and "KmsKeyId" not in arguments["TransformOutput"]:
        yield "TransformOutput.KmsKeyId", "missing: outputs would not be encrypted with your key"
    concurrent = number(arguments.get("MaxConcurrentTransforms", 1))
    payload = number(arguments.get("MaxPayloadInMB", 6))
    if payload is not None and payload > 100:
        yield "MaxPayloadInMB", f"must be at most 100, got {payload}"
    elif concurrent is not None and payload is not None and concurrent * payload > 100:
        yield "MaxConcurrentTransforms", f"times MaxPayloadInMB must be at most 100, got {concurrent} × {payload}"
    split = arguments.get("TransformInput", {}).get("SplitType", "None")
    if arguments.get("BatchStrategy") == "MultiRecord" and split == "None":
        yield "BatchStrategy", "MultiRecord needs TransformInput.SplitType"
    assembled = arguments.get("TransformOutput", {}).get("AssembleWith", "None")
    if assembled != "None" and split == "None":
        yield "TransformOutput.AssembleWith", "needs TransformInput.SplitType"


def check_transform_model(model: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Problems of the model that a transform uses, as (member, message)."""
    containers = [model.get("PrimaryContainer", {}), *model.get("Containers", [])]
    for container in containers:
        for member in ("ModelDataSource", "AdditionalModelDataSources"):
            if member in container:
                yield member, "is refused by a batch transform: give ModelDataUrl, one model.tar.gz"
