"""The delivery pipeline, and the environments that it deploys."""

from collections.abc import Mapping
from typing import Any

from aws_cdk import App, DefaultStackSynthesizer, Environment, Stack
from aws_cdk import Stage as CdkStage
from aws_cdk import aws_iam as iam
from constructs import Construct
from tunestack_cdk.delivery_pipeline import DeliveryPipeline
from tunestack_cdk.role_path import put_roles_under

from stacks.environment import add_environment
from tunestack.planning.blueprint import blueprint_of
from tunestack.settings.delivery import Delivery
from tunestack.settings.loading import Settings


class EnvironmentStage(CdkStage):
    """All stacks of one environment, in its account and region."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings) -> None:
        environment = settings.environment
        super().__init__(scope, construct_id, env=Environment(account=environment.account, region=environment.region))
        add_environment(self, blueprint_of(settings))


class DeliveryStack(Stack):
    """The pipeline that takes changes through the environments."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        delivery: Delivery,
        environments: Mapping[str, Settings],
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        stages = {
            name: (settings, EnvironmentStage(self, name, settings=settings)) for name, settings in environments.items()
        }
        # By aspects, which end at a stage: an environment has its own.
        put_roles_under(self, delivery.role_path)
        if delivery.permissions_boundary:
            bound = iam.ManagedPolicy.from_managed_policy_name(self, "Boundary", delivery.permissions_boundary)
            iam.PermissionsBoundary.of(self).apply(bound)
        # "Default" adds nothing to the logical ids of what is in it.
        DeliveryPipeline(self, "Default", delivery=delivery, environments=stages)


def add_delivery(app: App, delivery: Delivery, environments: Mapping[str, Settings]) -> DeliveryStack:
    """The delivery pipeline of `config/delivery/delivery.yaml`, and the environments that it goes through."""
    return DeliveryStack(
        app,
        delivery.name,
        delivery=delivery,
        environments=environments,
        env=Environment(account=delivery.account, region=delivery.region),
        synthesizer=DefaultStackSynthesizer(qualifier=delivery.bootstrap_qualifier),
    )
