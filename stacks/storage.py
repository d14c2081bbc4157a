"""Where data, models and results live."""

from typing import Any

from aws_cdk import CfnOutput, Duration, Stack
from aws_cdk import aws_s3 as s3
from constructs import Construct
from tunestack_cdk.data_bucket import AccessLogBucket, DataBucket
from tunestack_cdk.encryption_key import EncryptionKey
from tunestack_cdk.retention import removal_policy

from tunestack.layout import CHECKPOINTS, KEY_ARN_OUTPUT, Bucket
from tunestack.settings.loading import Settings


class StorageStack(Stack):
    """One key, and a bucket each for raw data, artifacts and results."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings, **kwargs: Any) -> None:
        super().__init__(scope, construct_id, **kwargs)
        storage = settings.environment.storage
        self.key = EncryptionKey(
            self,
            "EncryptionKey",
            alias=settings.names.key_alias,
            removal_policy=removal_policy(delete_with_stack=settings.deletes_data),
            administrators=self._administrators(settings),
        ).key
        access_logs = AccessLogBucket(
            self,
            "AccessLogs",
            expire_after=Duration.days(storage.access_logs_expire_after_days),
            delete_with_stack=settings.deletes_data,
        )

        expire_checkpoints = s3.LifecycleRule(
            id="ExpireCheckpoints",
            prefix=CHECKPOINTS.key(""),
            expiration=Duration.days(storage.checkpoints_expire_after_days),
        )

        def make(bucket: Bucket) -> s3.Bucket:
            made = DataBucket(
                self,
                bucket,
                key=self.key,
                access_logs=access_logs,
                old_versions_expire_after=Duration.days(storage.old_versions_expire_after_days),
                delete_with_stack=settings.deletes_data,
                lifecycle_rules=[expire_checkpoints] if bucket is CHECKPOINTS.bucket else [],
            ).bucket
            CfnOutput(self, bucket.output, value=made.bucket_name)
            return made

        self.buckets: dict[Bucket, s3.IBucket] = {bucket: make(bucket) for bucket in Bucket}
        CfnOutput(self, KEY_ARN_OUTPUT, value=self.key.key_arn)

    def _administrators(self, settings: Settings) -> list[str]:
        """Who administers the key where that is somebody's alone: they, and what deploys it."""
        security = settings.environment.security
        if not security.key_administrators:
            return []
        name = f"cdk-{security.bootstrap_qualifier}-cfn-exec-role-{self.account}-{self.region}"
        deploys = self.format_arn(service="iam", region="", resource="role", resource_name=name)
        return [*security.key_administrators, deploys]
