"""The registry of fine-tuned models."""

from typing import Any

from aws_cdk import CfnOutput, Stack
from constructs import Construct
from tunestack_cdk.cost_annotation import annotate_costs
from tunestack_cdk.model_registry import ModelRegistry

from tunestack.settings import Settings


class RegistryStack(Stack):
    """One model package group."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings, **kwargs: Any) -> None:
        super().__init__(scope, construct_id, **kwargs)
        registry = ModelRegistry(
            self,
            "ModelRegistry",
            group_name=f"{settings.prefix}-models",
            consumer_accounts=settings.environment.registry.consumer_accounts,
            delete_with_stack=settings.deletes_data,
        )
        self.group_name = registry.group_name
        CfnOutput(self, "ModelPackageGroupName", value=registry.group_name)
        self.cost = annotate_costs(self, region=settings.environment.region)
