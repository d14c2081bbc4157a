"""All stacks of one environment."""

from typing import Any

from constructs import Construct
from tunestack_cdk.fine_tuning_pipeline import tag_everything

from stacks.images import ImagesStack
from stacks.pipeline import PipelineStack
from stacks.registry import RegistryStack
from stacks.storage import StorageStack
from tunestack.settings import Settings


def add_environment(scope: Construct, settings: Settings, **kwargs: Any) -> None:
    """Add an environment's stacks to an app or a stage, named `PROJECT-ENVIRONMENT-STACK`."""
    prefix = settings.prefix
    storage = StorageStack(scope, f"{prefix}-storage", settings=settings, **kwargs)
    network = None
    if settings.environment.network.private_vpc:
        # Imported here: CDK's EC2 module is large, and an environment without a VPC does without it.
        from stacks.network import NetworkStack

        network = NetworkStack(scope, f"{prefix}-network", settings=settings, key=storage.key, **kwargs)
    images = ImagesStack(scope, f"{prefix}-images", settings=settings, key=storage.key, **kwargs)
    registry = RegistryStack(scope, f"{prefix}-registry", settings=settings, **kwargs)
    pipeline = PipelineStack(
        scope,
        f"{prefix}-pipeline",
        settings=settings,
        storage=storage,
        network=network,
        images=images,
        registry=registry,
        **kwargs,
    )
    for stack in (storage, network, images, registry, pipeline):
        if stack is not None:
            tag_everything(stack, settings)
