"""The registry of fine-tuned models."""

from collections.abc import Sequence

from aws_cdk import Stack
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from tunestack_cdk.retention import removal_policy


class ModelRegistry(Construct):
    """A model package group: kept when its stack goes, readable by the accounts that deploy from it."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        group_name: str,
        consumer_accounts: Sequence[str],
        delete_with_stack: bool,
    ) -> None:
        super().__init__(scope, construct_id)
        self.group_name = group_name
        stack = Stack.of(self)
        # SageMaker refuses a principal that is named twice.
        accounts = list(dict.fromkeys([stack.account, *consumer_accounts]))
        group = sagemaker.CfnModelPackageGroup(
            self,
            "Group",
            model_package_group_name=group_name,
            # Create-only, as the name is: a changed description would replace the group.
            model_package_group_description="Fine-tuned models, a version each",
            model_package_group_policy={
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Sid": "ReadVersions",
                        "Effect": "Allow",
                        "Principal": {"AWS": [f"arn:{stack.partition}:iam::{account}:root" for account in accounts]},
                        "Action": [
                            "sagemaker:DescribeModelPackage",
                            "sagemaker:DescribeModelPackageGroup",
                            "sagemaker:ListModelPackages",
                        ],
                        "Resource": [
                            stack.format_arn(
                                service="sagemaker", resource="model-package-group", resource_name=group_name
                            ),
                            stack.format_arn(
                                service="sagemaker", resource="model-package", resource_name=f"{group_name}/*"
                            ),
                        ],
                    }
                ],
            },
        )
        group.apply_removal_policy(removal_policy(delete_with_stack=delete_with_stack))
        self.group = group
