"""EncryptionKey: rotated, and used by CloudWatch Logs for this account's log groups alone."""

import json
from typing import Any

from aws_cdk import RemovalPolicy, Stack
from aws_cdk.assertions import Template
from ministack.core.iam_evaluator import EvalContext, evaluate_resource_policy
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


ADMIN = "arn:aws:iam::000000000000:role/keys"
ARN = "arn:aws:kms:us-east-1:000000000000:key/Key961B73FD"


def test_who_administers_the_key_does_not_use_it_and_the_other_way_round(stack: Stack) -> None:
    EncryptionKey(stack, "Apart", alias="alias/apart", removal_policy=RemovalPolicy.RETAIN, administrators=[ADMIN])
    found = Template.from_stack(stack).to_json()["Resources"]
    (policy,) = [item["Properties"]["KeyPolicy"] for item in found.values() if item["Type"] == "AWS::KMS::Key"]
    text = (
        json.dumps(policy)
        .replace('{"Ref": "AWS::Partition"}', '"aws"')
        .replace('{"Ref": "AWS::AccountId"}', '"000000000000"')
    )
    document = json.loads(text)
    for statement in document["Statement"]:
        for name, value in statement["Principal"].items():
            joined = value["Fn::Join"][1] if isinstance(value, dict) and "Fn::Join" in value else [value]
            statement["Principal"][name] = "".join(map(str, joined))

    def may(role: str, action: str) -> bool:
        context = EvalContext(
            principal_arn=role, principal_type="AssumedRole", principal_account="000000000000", action=action,
            resource_arn=ARN, region="us-east-1",
        )  # fmt: skip
        return bool(evaluate_resource_policy(document, context).decision == "Allow")

    user = "arn:aws:iam::000000000000:role/job"
    assert may(ADMIN, "kms:PutKeyPolicy") and may(ADMIN, "kms:ScheduleKeyDeletion")
    assert (
        not may(user, "kms:PutKeyPolicy")
        and not may(user, "kms:ScheduleKeyDeletion")
        and not may(user, "kms:DisableKey")
    )
    assert may(user, "kms:Decrypt") and not may(user, "kms:CreateGrant")
