"""A repository for one kind of container image."""

from aws_cdk import RemovalPolicy
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_kms as kms
from constructs import Construct


class ImageRepository(Construct):
    """Immutable tags, scanned on push, encrypted with the environment's key, old images deleted."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        repository_name: str,
        key: kms.IKey,
        keep_last: int,
        delete_with_stack: bool,
    ) -> None:
        super().__init__(scope, construct_id)
        self.repository = ecr.Repository(
            self,
            "Repository",
            repository_name=repository_name,
            encryption=ecr.RepositoryEncryption.KMS,
            encryption_key=key,
            image_scan_on_push=True,
            image_tag_mutability=ecr.TagMutability.IMMUTABLE,
            lifecycle_rules=[
                ecr.LifecycleRule(description="Keep the newest images", max_image_count=keep_last),
            ],
            removal_policy=RemovalPolicy.DESTROY if delete_with_stack else RemovalPolicy.RETAIN,
            empty_on_delete=delete_with_stack,
        )
