"""The side that versions are promoted from: each decision on one is told to the environments that take it in."""

from collections.abc import Mapping, Sequence

from aws_cdk import Stack
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from tunestack.layout import Bucket, read_by_promotion
from tunestack_cdk.job_role import service_role
from tunestack_cdk.model_consumers import PULL_ACTIONS
from tunestack_cdk.promotion_partner import PromotionPartner, account_principals

DECISIONS = ("Approved", "Rejected")


class PromotionSender(Construct):
    """A rule that sends each approval and rejection to the buses of other environments, which may be other accounts'.

    Their function may read what a version is made of: `buckets` and `key` say so for the accounts that aren't this one.
    The image stays in `repository`: `image_users` are all who may come to run a version of this environment.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        group_name: str,
        targets: Sequence[PromotionPartner],
        image_users: Sequence[PromotionPartner],
        buckets: Mapping[Bucket, s3.IBucket],
        key: kms.IKey,
        repository: ecr.IRepository,
    ) -> None:
        super().__init__(scope, construct_id)
        stack = Stack.of(self)
        role = service_role(self, "Role", service="events")
        buses = [target.bus_arn(stack) for target in targets]
        role.add_to_policy(iam.PolicyStatement(actions=["events:PutEvents"], resources=buses))
        rule = events.CfnRule(
            self,
            "Decided",
            description="Tells the environments that versions are promoted to what was approved and rejected",
            event_pattern={
                "source": ["aws.sagemaker"],
                "detail-type": ["SageMaker Model Package State Change"],
                "detail": {"ModelPackageGroupName": [group_name], "ModelApprovalStatus": list(DECISIONS)},
            },
            targets=[
                events.CfnRule.TargetProperty(id=target.promotion_name, arn=bus, role_arn=role.role_arn)
                for target, bus in zip(targets, buses, strict=True)
            ],
        )
        rule.node.add_dependency(role)
        elsewhere = [target for target in targets if target.account != stack.account]
        if elsewhere:
            _grant_reading(stack, elsewhere, buckets, key)
        pullers = [user for user in image_users if user.account != stack.account]
        if pullers:
            repository.add_to_resource_policy(
                iam.PolicyStatement(
                    sid="PullPromoted",
                    principals=account_principals(pullers),
                    actions=[*PULL_ACTIONS, "ecr:DescribeImages"],
                )
            )
            for sid, action, looking in (
                ("SeeFindings", "ecr:DescribeImageScanFindings", [user for user in pullers if user.looks_at_findings]),
                (
                    "SeeSignatures",
                    "ecr:DescribeImageSigningStatus",
                    [user for user in pullers if user.looks_at_signatures],
                ),
            ):
                if looking:
                    repository.add_to_resource_policy(_for_receivers(stack, looking, sid, action))


def _for_receivers(stack: Stack, users: Sequence[PromotionPartner], sid: str, action: str) -> iam.PolicyStatement:
    """A statement for the functions of these environments alone."""
    receivers = {"aws:PrincipalArn": [user.receiver_role_arn(stack) for user in users]}
    return iam.PolicyStatement(
        sid=sid, principals=account_principals(users), actions=[action], conditions={"ArnEquals": receivers}
    )


def _grant_reading(
    stack: Stack, targets: Sequence[PromotionPartner], buckets: Mapping[Bucket, s3.IBucket], key: kms.IKey
) -> None:
    """Let the targets' functions, and nobody else there, read what a promotion takes along."""
    principals = account_principals(targets)
    receivers = {"aws:PrincipalArn": [target.receiver_role_arn(stack) for target in targets]}
    read = read_by_promotion(with_exam=any(target.takes_exams_along for target in targets))
    for name, bucket in buckets.items():
        patterns = [place.key(pattern) for place, pattern in read if place.bucket is name]
        if not patterns:
            continue
        bucket.add_to_resource_policy(
            iam.PolicyStatement(
                sid="ReadForPromotion",
                principals=principals,
                actions=["s3:GetObject"],
                resources=[bucket.arn_for_objects(pattern) for pattern in patterns],
                conditions={"ArnEquals": receivers},
            )
        )
        bucket.add_to_resource_policy(
            iam.PolicyStatement(
                sid="ListForPromotion",
                principals=principals,
                actions=["s3:ListBucket"],
                resources=[bucket.bucket_arn],
                conditions={"ArnEquals": receivers, "StringLike": {"s3:prefix": patterns}},
            )
        )
    key.add_to_resource_policy(
        iam.PolicyStatement(
            sid="DecryptForPromotion",
            principals=principals,
            actions=["kms:Decrypt"],
            resources=["*"],
            conditions={
                "ArnEquals": receivers,
                "StringEquals": {"kms:ViaService": f"s3.{stack.region}.{stack.url_suffix}"},
            },
        )
    )
