"""What a role may do with the objects under a prefix of a bucket that the environment's key encrypts."""

from collections.abc import Sequence

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

from tunestack_cdk.acknowledge import acknowledge_wildcard


class PrefixAccess:
    """Allows a role to list and read, to write, or to delete what lies under prefixes."""

    def __init__(self, role: iam.Role, *, key: kms.IKey) -> None:
        self._role, self._key = role, key

    def read(self, bucket: s3.IBucket, prefix: str) -> None:
        """Allow to list what lies under a prefix, and to read it."""
        self._allow(["s3:GetObject"], bucket.arn_for_objects(f"{prefix}/*"))
        self._role.add_to_policy(
            iam.PolicyStatement(
                actions=["s3:ListBucket"],
                resources=[bucket.bucket_arn],
                conditions={"StringLike": {"s3:prefix": [f"{prefix}/*"]}},
            )
        )
        self._allow(["kms:Decrypt"], self._key.key_arn)
        self._accept_wildcard(bucket, prefix)

    def write(self, bucket: s3.IBucket, prefix: str) -> None:
        """Allow to write under a prefix, large files in parts."""
        self._allow(
            ["s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"],
            bucket.arn_for_objects(f"{prefix}/*"),
        )
        self._allow(["kms:Decrypt", "kms:GenerateDataKey"], self._key.key_arn)
        self._accept_wildcard(bucket, prefix)

    def delete(self, bucket: s3.IBucket, prefix: str) -> None:
        """Allow to delete under a prefix."""
        self._allow(["s3:DeleteObject"], bucket.arn_for_objects(f"{prefix}/*"))

    def _allow(self, actions: Sequence[str], resource: str) -> None:
        self._role.add_to_policy(iam.PolicyStatement(actions=list(actions), resources=[resource]))

    def _accept_wildcard(self, bucket: s3.IBucket, prefix: str) -> None:
        acknowledge_wildcard(
            self._role,
            bucket.arn_for_objects(f"{prefix}/*"),
            reason=f"Whatever objects lie under {prefix}/ are read or written; their names aren't known here.",
        )
