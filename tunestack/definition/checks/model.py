"""What CreateModel and CreateModelPackage ask for beyond their shapes."""

from collections.abc import Iterator
from typing import Any

from tunestack.definition.checks.choices import Parameters


def check_model(arguments: dict[str, Any], parameters: Parameters) -> Iterator[tuple[str, str]]:
    """Problems of a model as (member, message)."""
    if ("PrimaryContainer" in arguments) == ("Containers" in arguments) and "InferenceExecutionConfig" not in arguments:
        yield "", "needs exactly one of PrimaryContainer and Containers"
    for where, container in _containers(arguments):
        yield from _check_environment(where, container)
        if "ModelDataUrl" in container and "ModelDataSource" in container:
            yield where, "needs at most one of ModelDataUrl and ModelDataSource"


def check_model_package(arguments: dict[str, Any], parameters: Parameters) -> Iterator[tuple[str, str]]:
    """Problems of a registry version as (member, message)."""
    if "ModelPackageGroupName" not in arguments and "ModelPackageName" not in arguments:
        yield "ModelPackageGroupName", "missing"
    if "ModelPackageGroupName" in arguments and arguments.get("Tags"):
        yield "Tags", "belong on the group, not on a version"
    specification = arguments.get("InferenceSpecification", {})
    for index, container in enumerate(specification.get("Containers", [])):
        yield from _check_environment(f"InferenceSpecification.Containers[{index}]", container)


def _containers(arguments: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    if "PrimaryContainer" in arguments:
        yield "PrimaryContainer", arguments["PrimaryContainer"]
    for index, container in enumerate(arguments.get("Containers", [])):
        yield f"Containers[{index}]", container


def _check_environment(where: str, container: dict[str, Any]) -> Iterator[tuple[str, str]]:
    environment = container.get("Environment", {})
    if len(environment) > 16:
        yield f"{where}.Environment", f"must be at most 16 entries, got {len(environment)}"
    size = sum(len(str(key)) + len(str(value)) for key, value in environment.items())
    if size > 32 * 1024:
        yield f"{where}.Environment", f"must be at most 32 KB together, got {size} bytes"
