"""The registry of fine-tuned models."""

from collections.abc import Sequence

from aws_cdk import Stack
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from tunestack_cdk.model_consumers import ModelConsumers, group_policy
from tunestack_cdk.promotion_partner import PromotionPartner
from tunestack_cdk.retention import removal_policy


class ModelRegistry(Construct):
    """A model package group: kept when its stack goes, usable by the accounts that deploy from it."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        group_name: str,
        consumers: ModelConsumers,
        targets: Sequence[PromotionPartner] = (),
        delete_with_stack: bool,
    ) -> None:
        super().__init__(scope, construct_id)
        self.group_name = group_name
        stack = Stack.of(self)
        group = sagemaker.CfnModelPackageGroup(
            self,
            "Group",
            model_package_group_name=group_name,
            # Create-only, as the name is: a changed description would replace the group.
            model_package_group_description="Fine-tuned models, a version each",
            model_package_group_policy=group_policy(stack, group_name, consumers, targets),
        )
        group.apply_removal_policy(removal_policy(delete_with_stack=delete_with_stack))
        self.group = group
