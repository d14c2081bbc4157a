"""All stacks of one environment."""

from collections.abc import Iterable
from typing import Any

from aws_cdk import Annotations
from constructs import Construct
from tunestack_cdk.fine_tuning_pipeline import tag_everything

from stacks.images import ImagesStack
from stacks.pipeline import PipelineStack
from stacks.registry import RegistryStack
from stacks.storage import StorageStack
from tunestack.planning.auto import resolve_auto
from tunestack.planning.gates import enforce, gate_problems, month_problems, time_risks
from tunestack.settings import Settings


def add_environment(scope: Construct, settings: Settings, *, allow: Iterable[str] = (), **kwargs: Any) -> None:
    """Add an environment's stacks to an app or a stage, named `PROJECT-ENVIRONMENT-STACK`.

    Raises:
        SettingsError: a job doesn't fit its machine, or budget or deadline are missed, and `allow` doesn't let it pass.
    """
    settings = resolve_auto(settings)
    overrides = enforce(gate_problems(settings), allow=allow)
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
        overrides=overrides,
        **kwargs,
    )
    observability = None
    if settings.environment.budget.alert_emails:
        from stacks.observability import ObservabilityStack

        observability = ObservabilityStack(scope, f"{prefix}-observability", settings=settings, **kwargs)
    found = (storage, network, images, registry, pipeline, observability)
    stacks = [stack for stack in found if stack is not None]
    standing_usd = sum(stack.cost.standing.usd_per_month for stack in stacks)
    for line in enforce(month_problems(settings, standing_usd=standing_usd), allow=allow):
        Annotations.of(pipeline).add_warning_v2("tunestack:override", line)
    for line in time_risks(settings):
        Annotations.of(pipeline).add_warning_v2("tunestack:time", line)
    for stack in stacks:
        tag_everything(stack, settings)
