"""A repository for one kind of container image."""

from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_kms as kms
from constructs import Construct

from tunestack_cdk.retention import removal_policy


class ImageRepository(Construct):
    """Immutable tags, scanned on push, encrypted with the environment's key, kept unless told otherwise."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        repository_name: str,
        key: kms.IKey,
        keep_last: int | None,
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
            # A registered version is served by the image that it was registered with, however old.
            lifecycle_rules=[]
            if keep_last is None
            else [ecr.LifecycleRule(description="Keep the newest images", max_image_count=keep_last)],
            removal_policy=removal_policy(delete_with_stack=delete_with_stack),
            empty_on_delete=delete_with_stack,
        )
        # A kept repository is deleted in one case, when its own first deployment fails: with what was pushed by then.
        resource = self.repository.node.default_child
        assert isinstance(resource, ecr.CfnRepository)
        resource.empty_on_delete = True
