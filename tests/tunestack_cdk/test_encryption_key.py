"""EncryptionKey: rotated, and used by CloudWatch Logs for this account's log groups alone."""

from typing import Any

from aws_cdk import RemovalPolicy, Stack
from tunestack_cdk.encryption_key import EncryptionKey


def test_it_rotates_has_its_alias_and_outlives_the_stack(stack: Stack, template: Any) -> None:
    EncryptionKey(stack, "Key", alias="alias/kit", removal_policy=RemovalPolicy.RETAIN)
    found = template()
    found.has_resource("AWS::KMS::Key", {"Properties": {"EnableKeyRotation": True}, "DeletionPolicy": "Retain"})
    found.has_resource_properties("AWS::KMS::Alias", {"AliasName": "alias/kit"})


def test_logs_may_use_it_for_log_groups_of_this_account_only(stack: Stack, template: Any) -> None:
    EncryptionKey(stack, "Key", alias="alias/kit", removal_policy=RemovalPolicy.RETAIN)
    (key,) = template().find_resources("AWS::KMS::Key").values()
    others = [item for item in key["Properties"]["KeyPolicy"]["Statement"] if "Service" in item["Principal"]]
    (of_logs,) = others
    assert "logs." in str(of_logs["Principal"]["Service"]) and "*" not in str(of_logs["Principal"])
    arn = str(of_logs["Condition"]["ArnLike"]["kms:EncryptionContext:aws:logs:arn"])
    assert "AWS::AccountId" in arn and ":log-group:*" in arn


def test_its_alias_stays_with_it_so_that_a_second_deployment_stops_there(stack: Stack, template: Any) -> None:
    EncryptionKey(stack, "Key", alias="alias/kit", removal_policy=RemovalPolicy.RETAIN)
    template().has_resource("AWS::KMS::Alias", {"DeletionPolicy": "Retain"})
