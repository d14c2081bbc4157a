"""The registry of fine-tuned models."""

from typing import Any

from aws_cdk import CfnOutput, Stack
from constructs import Construct
from tunestack_cdk.model_consumers import ModelConsumers, grant_consumers
from tunestack_cdk.model_registry import ModelRegistry
from tunestack_cdk.promotion_sender import PromotionSender

from stacks.images import ImagesStack
from stacks.promotion_partner import promotion_partner
from stacks.storage import StorageStack
from tunestack.layout import MODEL_PACKAGE_GROUP_NAME_OUTPUT, PACKAGES, Image
from tunestack.settings.loading import Settings


class RegistryStack(Stack):
    """One model package group, and what other accounts need to deploy its versions."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        storage: StorageStack,
        images: ImagesStack,
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        chosen = settings.environment.registry
        targets = [promotion_partner(neighbour) for neighbour in settings.promotes_to]
        consumers = ModelConsumers(chosen.consumer_accounts, organization_arn=chosen.organization_arn)
        registry = ModelRegistry(
            self,
            "ModelRegistry",
            group_name=settings.names.model_package_group,
            consumers=consumers,
            targets=targets,
            delete_with_stack=settings.deletes_data,
        )
        self.group_name = registry.group_name
        if consumers:
            grant_consumers(
                self,
                consumers,
                group_name=registry.group_name,
                packages=(storage.buckets[PACKAGES.bucket], PACKAGES.prefix),
                key=storage.key,
                repository=images.images[Image.INFERENCE].repository,
            )
        if targets:
            PromotionSender(
                self,
                "Promotion",
                group_name=registry.group_name,
                targets=targets,
                image_users=[promotion_partner(neighbour) for neighbour in settings.runs_in],
                buckets=storage.buckets,
                key=storage.key,
                repository=images.images[Image.INFERENCE].repository,
            )
        CfnOutput(self, MODEL_PACKAGE_GROUP_NAME_OUTPUT, value=registry.group_name)
