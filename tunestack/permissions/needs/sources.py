"""The environment that versions come from, found by the ARN of its model package group."""

from collections.abc import Mapping
from dataclasses import dataclass

from tunestack.layout import Bucket, StackName
from tunestack.permissions.world import World
from tunestack.template.assembly import Stack


@dataclass(frozen=True, kw_only=True)
class SourceEnvironment:
    """The environment that versions come from, as far as its stacks are in the world."""

    stack: Stack
    buckets: Mapping[Bucket, str]


def group_of(versions: str) -> str:
    """The ARN of the group that versions are of: `…:model-package/GROUP/*`."""
    return versions.rstrip("/*").replace(":model-package/", ":model-package-group/")


def source_of(world: World, group: str) -> SourceEnvironment | None:
    """The environment whose group it is: its other stacks are called as its registry's is."""
    registry = _stack_of_group(world, group)
    if registry is None:
        return None
    prefix = registry.name.rpartition("-")[0]
    storage = world.sibling(registry, f"{prefix}-{StackName.STORAGE}")
    if storage is None:
        return None
    outputs = {bucket: storage.template["Outputs"][bucket.output]["Value"] for bucket in Bucket}
    resolver = world.resolver(storage)
    return SourceEnvironment(stack=storage, buckets={bucket: resolver.value(item) for bucket, item in outputs.items()})


def _stack_of_group(world: World, group: str) -> Stack | None:
    for stack, logical_id, _ in world.resources("AWS::SageMaker::ModelPackageGroup"):
        if world.resolver(stack).arn_of(logical_id) == group:
            return stack
    return None
