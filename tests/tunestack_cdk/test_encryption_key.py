"""EncryptionKey: rotated, and used by CloudWatch Logs for this account's log groups alone."""

from typing import Any

from aws_cdk import RemovalPolicy, Stack
from aws_cdk.assertions import Match
from tunestack_cdk.encryption_key import EncryptionKey


def test_it_rotates_has_its_alias_and_outlives_the_stack(stack: Stack, template: Any) -> None:
    EncryptionKey(stack, "Key", alias="alias/kit", removal_policy=RemovalPolicy.RETAIN)
    found = template()
    found.has_resource("AWS::KMS::Key", {"Properties": {"EnableKeyRotation": True}, "DeletionPolicy": "Retain"})
    found.has_resource_properties("AWS::KMS::Alias", {"AliasName": "alias/kit"})


def test_logs_may_use_it_for_log_groups_of_this_account_only(stack: Stack, template: Any) -> None:
    EncryptionKey(stack, "Key", alias="alias/kit", removal_policy=RemovalPolicy.RETAIN)
    of_logs = {
        "Principal": {"Service": Match.any_value()},
        "Condition": {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": Match.any_value()}},
    }
    statement = Match.array_with([Match.object_like(of_logs)])
    template().has_resource_properties("AWS::KMS::Key", {"KeyPolicy": {"Statement": statement}})
