"""The registry of fine-tuned models."""

from typing import Any

from aws_cdk import CfnOutput, Stack
from constructs import Construct
from tunestack_cdk.model_registry import ModelRegistry

from tunestack.layout import MODEL_PACKAGE_GROUP_NAME_OUTPUT
from tunestack.settings.loading import Settings


class RegistryStack(Stack):
    """One model package group."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings, **kwargs: Any) -> None:
        super().__init__(scope, construct_id, **kwargs)
        registry = ModelRegistry(
            self,
            "ModelRegistry",
            group_name=settings.names.model_package_group,
            consumer_accounts=settings.environment.registry.consumer_accounts,
            delete_with_stack=settings.deletes_data,
        )
        self.group_name = registry.group_name
        CfnOutput(self, MODEL_PACKAGE_GROUP_NAME_OUTPUT, value=registry.group_name)
