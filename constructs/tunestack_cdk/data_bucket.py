"""A bucket for data that matters, and the one that logs who touched it."""

from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from tunestack_cdk.acknowledge import acknowledge_checkov, acknowledge_in_packs
from tunestack_cdk.retention import removal_policy


class AccessLogBucket(Construct):
    """Where the data buckets' access logs go. S3 writes them with its own key only (SSE-S3)."""

    def __init__(self, scope: Construct, construct_id: str, *, expire_after: Duration, delete_with_stack: bool) -> None:
        super().__init__(scope, construct_id)
        self.bucket = s3.Bucket(
            self,
            "Bucket",
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            # Nobody overwrites a log unnoticed.
            versioned=True,
            lifecycle_rules=[
                s3.LifecycleRule(id="ExpireLogs", expiration=expire_after, noncurrent_version_expiration=expire_after),
                # Of an expired log a marker stays, which goes by itself in a rule of its own.
                s3.LifecycleRule(id="ExpireMarkers", expired_object_delete_marker=True),
            ],
            removal_policy=removal_policy(delete_with_stack=delete_with_stack),
            auto_delete_objects=delete_with_stack,
        )
        _accept_one_region(self.bucket)
        reason = "S3 delivers access logs to buckets that it encrypts with its own key only."
        acknowledge_in_packs(self.bucket, "S3DefaultEncryptionKMS", reason=reason)
        resource = self.bucket.node.default_child
        assert isinstance(resource, s3.CfnBucket)
        reason = "Logs of who read the access logs would be logged in turn, without end."
        acknowledge_checkov(resource, {"CKV_AWS_18": reason})


def _accept_one_region(bucket: s3.Bucket) -> None:
    reason = "Data stays in the region that the settings name; versions keep what is overwritten or deleted."
    acknowledge_in_packs(bucket, "S3BucketReplicationEnabled", reason=reason)


class DataBucket(Construct):
    """Encrypted with the environment's key, versioned, private, TLS only, logged; kept unless told otherwise."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        key: kms.IKey,
        access_logs: AccessLogBucket,
        old_versions_expire_after: Duration,
        delete_with_stack: bool,
        lifecycle_rules: Sequence[s3.LifecycleRule] = (),
    ) -> None:
        super().__init__(scope, construct_id)
        self.bucket = s3.Bucket(
            self,
            "Bucket",
            encryption=s3.BucketEncryption.KMS,
            encryption_key=key,
            bucket_key_enabled=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            versioned=True,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            server_access_logs_bucket=access_logs.bucket,
            server_access_logs_prefix=f"{construct_id}/",
            lifecycle_rules=[
                s3.LifecycleRule(id="AbortIncompleteUploads", abort_incomplete_multipart_upload_after=Duration.days(7)),
                s3.LifecycleRule(
                    id="ExpireOldVersions",
                    noncurrent_version_expiration=old_versions_expire_after,
                    expired_object_delete_marker=True,
                ),
                *lifecycle_rules,
            ],
            removal_policy=removal_policy(delete_with_stack=delete_with_stack),
            auto_delete_objects=delete_with_stack,
        )
        _accept_one_region(self.bucket)
