"""DataBucket and AccessLogBucket: private, encrypted, TLS only; deleted only where that is asked for."""

from typing import Any

import pytest
from aws_cdk import Duration, Stack
from aws_cdk import aws_kms as kms
from aws_cdk.assertions import Match
from tunestack_cdk.data_bucket import AccessLogBucket, DataBucket


def make(stack: Stack, key: kms.Key, *, delete_with_stack: bool = False) -> None:
    logs = AccessLogBucket(stack, "Logs", expire_after=Duration.days(9), delete_with_stack=delete_with_stack)
    DataBucket(
        stack, "Raw", key=key, access_logs=logs, old_versions_expire_after=Duration.days(7),
        delete_with_stack=delete_with_stack,
    )  # fmt: skip


def test_data_is_encrypted_with_the_key_versioned_logged_and_private(stack: Stack, key: kms.Key, template: Any) -> None:
    make(stack, key)
    template().has_resource_properties(
        "AWS::S3::Bucket",
        {
            "BucketEncryption": {
                "ServerSideEncryptionConfiguration": [
                    {
                        "BucketKeyEnabled": True,
                        "ServerSideEncryptionByDefault": {
                            "SSEAlgorithm": "aws:kms",
                            "KMSMasterKeyID": Match.any_value(),
                        },
                    }
                ]
            },
            "VersioningConfiguration": {"Status": "Enabled"},
            "LoggingConfiguration": {"LogFilePrefix": "Raw/", "DestinationBucketName": Match.any_value()},
            "PublicAccessBlockConfiguration": {
                "BlockPublicAcls": True,
                "BlockPublicPolicy": True,
                "IgnorePublicAcls": True,
                "RestrictPublicBuckets": True,
            },
        },
    )


def test_every_bucket_refuses_what_does_not_come_over_tls(stack: Stack, key: kms.Key, template: Any) -> None:
    make(stack, key)
    refused = {"Effect": "Deny", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
    policy = {"PolicyDocument": {"Statement": Match.array_with([Match.object_like(refused)])}}
    template().resource_properties_count_is("AWS::S3::BucketPolicy", policy, 2)


def test_old_versions_logs_and_broken_uploads_expire(stack: Stack, key: kms.Key, template: Any) -> None:
    make(stack, key)
    found = template()
    rules = Match.array_with([Match.object_like({"NoncurrentVersionExpiration": {"NoncurrentDays": 7}})])
    found.has_resource_properties("AWS::S3::Bucket", {"LifecycleConfiguration": {"Rules": rules}})
    rules = Match.array_with([Match.object_like({"ExpirationInDays": 9})])
    found.has_resource_properties("AWS::S3::Bucket", {"LifecycleConfiguration": {"Rules": rules}})


@pytest.mark.parametrize(("delete", "policy", "emptied"), [(False, "RetainExceptOnCreate", 0), (True, "Delete", 2)])
def test_data_goes_with_the_stack_only_where_that_is_asked_for(
    delete: bool, policy: str, emptied: int, stack: Stack, key: kms.Key, template: Any
) -> None:
    make(stack, key, delete_with_stack=delete)
    found = template()
    found.all_resources("AWS::S3::Bucket", {"DeletionPolicy": policy})
    found.resource_count_is("Custom::S3AutoDeleteObjects", emptied)


def test_the_log_bucket_is_as_private_as_the_data(stack: Stack, key: kms.Key, template: Any) -> None:
    make(stack, key)
    for bucket in template().find_resources("AWS::S3::Bucket").values():
        properties = bucket["Properties"]
        assert all(properties["PublicAccessBlockConfiguration"].values()) and properties["BucketEncryption"]
        assert properties["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
