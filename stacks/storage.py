"""Where data, models and results live."""

from typing import Any

from aws_cdk import CfnOutput, Duration, RemovalPolicy, Stack
from aws_cdk import aws_s3 as s3
from constructs import Construct
from tunestack_cdk.cost_annotation import annotate_costs
from tunestack_cdk.data_bucket import AccessLogBucket, DataBucket
from tunestack_cdk.encryption_key import EncryptionKey

from tunestack.costs.usage import storage_usage
from tunestack.settings import Settings


class StorageStack(Stack):
    """One key, and a bucket each for raw data, artifacts and results."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings, **kwargs: Any) -> None:
        super().__init__(scope, construct_id, **kwargs)
        storage = settings.environment.storage
        self.key = EncryptionKey(
            self,
            "EncryptionKey",
            alias=f"alias/{settings.prefix}",
            removal_policy=RemovalPolicy.DESTROY if settings.deletes_data else RemovalPolicy.RETAIN,
        ).key
        access_logs = AccessLogBucket(
            self,
            "AccessLogs",
            expire_after=Duration.days(storage.access_logs_expire_after_days),
            delete_with_stack=settings.deletes_data,
        )

        def bucket(name: str, *rules: s3.LifecycleRule) -> s3.Bucket:
            made = DataBucket(
                self,
                name,
                key=self.key,
                access_logs=access_logs,
                old_versions_expire_after=Duration.days(storage.old_versions_expire_after_days),
                delete_with_stack=settings.deletes_data,
                lifecycle_rules=rules,
            ).bucket
            CfnOutput(self, f"{name}BucketName", value=made.bucket_name)
            return made

        self.raw_data = bucket("RawData")
        self.artifacts = bucket(
            "Artifacts",
            s3.LifecycleRule(
                id="ExpireCheckpoints",
                prefix="checkpoints/",
                expiration=Duration.days(storage.checkpoints_expire_after_days),
            ),
        )
        self.results = bucket("Results")
        CfnOutput(self, "KeyArn", value=self.key.key_arn)
        self.cost = annotate_costs(self, region=settings.environment.region, usage=storage_usage(settings))
