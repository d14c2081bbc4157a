"""What another account may be given: reads of named things, whatever kind of policy gives it."""

from typing import Any

import pytest

from tests.rules.test_rules import FOREIGN, bucket_policy, one, said


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ({"Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}, "the whole bucket"),
        ({"Action": "s3:GetObject", "Resource": {"Fn::Join": ["", [{"Fn::GetAtt": ["B", "Arn"]}, "/*"]]}}, "whole bucket"),
        ({"Action": "s3:ListBucket", "Resource": "arn:aws:s3:::b"}, "without a condition on s3:prefix"),
        ({"Action": "s3:GetObject", "Resource": "*"}, "the whole bucket"),
        ({"Action": "s3:GetObject", "Resource": "arn:aws:s3:::b*"}, "the whole bucket"),
        ({"Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*/model.tar.gz"}, "the whole bucket"),
        (
            {
                "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::b",
                "Condition": {"StringLike": {"s3:prefix": ["packages/*", "*"]}},
            },
            "without a condition on s3:prefix",
        ),
        ({"Action": "s3:Get*", "Resource": "arn:aws:s3:::b/p/*"}, "do s3:Get*"),
        ({"Action": "s3:PutBucketPolicy", "Resource": "arn:aws:s3:::b"}, "do s3:PutBucketPolicy"),
        ({"Action": "s3:*", "Resource": "arn:aws:s3:::b/p/*"}, "do s3:*"),
        ({"NotAction": "s3:DeleteBucket", "Resource": "arn:aws:s3:::b"}, "everything but what is named"),
        ({"Action": "s3:PutObject", "Resource": "arn:aws:s3:::b/p/*", "Principal": {"AWS": "444444444444"}}, "s3:PutObject"),
        (
            {
                "Action": "s3:PutObject", "Resource": "arn:aws:s3:::b/p/*", "Principal": "*",
                "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}},
            },
            "do s3:PutObject",
        ),
    ],
)  # fmt: skip
def test_what_another_account_must_not_be_given_is_named(statement: dict[str, Any], message: str) -> None:
    assert any(message in item for item in said("foreign_access", bucket_policy(**statement)))


@pytest.mark.parametrize(
    ("kind", "properties", "message"),
    [
        ("AWS::KMS::Key", {"KeyPolicy": "kms:Decrypt"}, "without a condition on kms:viaservice"),
        ("AWS::KMS::Key", {"KeyPolicy": "kms:ScheduleKeyDeletion"}, "do kms:ScheduleKeyDeletion"),
        ("AWS::ECR::Repository", {"RepositoryPolicyText": "ecr:PutImage"}, "do ecr:PutImage"),
        ("AWS::SageMaker::ModelPackageGroup", {"ModelPackageGroupPolicy": "sagemaker:UpdateModelPackage"}, "Update"),
        ("AWS::SQS::QueuePolicy", {"PolicyDocument": "sqs:SendMessage"}, "do sqs:SendMessage"),
        ("AWS::SNS::TopicPolicy", {"PolicyDocument": "sns:Subscribe"}, "do sns:Subscribe"),
    ],
)
def test_it_is_so_of_every_resource_policy(kind: str, properties: dict[str, str], message: str) -> None:
    ((member, action),) = properties.items()
    statement = {"Effect": "Allow", "Principal": FOREIGN, "Action": action, "Resource": "arn:x"}
    assert any(message in item for item in said("foreign_access", one(kind, **{member: {"Statement": [statement]}})))


def test_it_is_so_of_buses_and_functions() -> None:
    statement = {"Effect": "Allow", "Principal": FOREIGN, "Action": "events:PutRule", "Resource": "arn:b"}
    assert said("foreign_access", one("AWS::Events::EventBusPolicy", StatementId="a", Statement=statement))
    told = {**statement, "Action": "events:PutEvents"}
    assert said("foreign_access", one("AWS::Events::EventBusPolicy", StatementId="a", Statement=told)) == []
    assert said("foreign_access", one("AWS::Lambda::Permission", Principal="444444444444"))
