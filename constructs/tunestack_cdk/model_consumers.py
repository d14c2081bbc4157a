"""The accounts that deploy an environment's registered versions, and all that they need for it."""

from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_ram as ram
from aws_cdk import aws_s3 as s3
from constructs import Construct

from tunestack_cdk.acknowledge import acknowledge
from tunestack_cdk.promotion_partner import PromotionPartner, account_principals

# A version is looked at, and a model is made from it.
VERSION_ACTIONS = ("sagemaker:DescribeModelPackage", "sagemaker:ListModelPackages", "sagemaker:CreateModel")
GROUP_ACTIONS = ("sagemaker:DescribeModelPackageGroup",)
PULL_ACTIONS = ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")


class ModelConsumers:
    """Other accounts, by their ids or as an organisation, or both: then the accounts must belong to it.

    `organization_arn` is the whole ARN, `arn:aws:organizations::MANAGEMENT-ACCOUNT:organization/o-…`: RAM asks for it.
    """

    def __init__(self, accounts: Sequence[str], *, organization_arn: str | None = None) -> None:
        # Services refuse a principal that is named twice.
        self.accounts = tuple(dict.fromkeys(accounts))
        self.organization_arn = organization_arn

    def __bool__(self) -> bool:
        return bool(self.accounts or self.organization_arn)

    def principals(self) -> list[iam.IPrincipal]:
        """The accounts; where only an organisation is named, anybody, which the condition makes its members."""
        return [iam.AccountPrincipal(account) for account in self.accounts] or [iam.AnyPrincipal()]

    def statement(
        self,
        sid: str,
        actions: Sequence[str],
        resources: Sequence[str],
        *,
        equals: Mapping[str, str] | None = None,
        like: Mapping[str, str] | None = None,
    ) -> iam.PolicyStatement:
        """A grant to them, under conditions of its own and the organisation's."""
        organization = {"aws:PrincipalOrgID": self.organization_arn.rpartition("/")[2]} if self.organization_arn else {}
        conditions = {"StringEquals": {**(equals or {}), **organization}, "StringLike": {**(like or {})}}
        return iam.PolicyStatement(
            sid=sid,
            principals=self.principals(),
            actions=list(actions),
            resources=list(resources),
            conditions={operator: keys for operator, keys in conditions.items() if keys},
        )


def grant_consumers(
    scope: Construct,
    consumers: ModelConsumers,
    *,
    group_name: str,
    packages: tuple[s3.IBucket, str],
    key: kms.IKey,
    repository: ecr.IRepository,
) -> None:
    """Let them make models from the registered versions: read the archive, its key and its image, and find the group.

    The group's own policy is its construct's (`ModelRegistry`), which takes the same consumers.
    """
    bucket, prefix = packages
    bucket.add_to_resource_policy(
        consumers.statement("ReadPackages", ["s3:GetObject"], [bucket.arn_for_objects(f"{prefix}/*")])
    )
    # A missing archive is told apart from one that may not be read.
    bucket.add_to_resource_policy(
        consumers.statement("ListPackages", ["s3:ListBucket"], [bucket.bucket_arn], like={"s3:prefix": f"{prefix}/*"})
    )
    stack = Stack.of(scope)
    # Only through S3: what else the key encrypts stays this account's.
    via_s3 = {"kms:ViaService": f"s3.{stack.region}.{stack.url_suffix}"}
    key.add_to_resource_policy(consumers.statement("DecryptPackages", ["kms:Decrypt"], ["*"], equals=via_s3))
    repository.add_to_resource_policy(consumers.statement("PullImages", PULL_ACTIONS, []))
    if not consumers.accounts:
        reason = "Anybody of the organisation pulls: the statement's condition asks for aws:PrincipalOrgID."
        acknowledge(repository, "AwsSolutions-ECR1", reason=reason)
    ram.CfnResourceShare(
        scope,
        "Share",
        name=group_name,
        resource_arns=[group_arn(stack, group_name)],
        principals=list(consumers.accounts) or [consumers.organization_arn or ""],
        allow_external_principals=consumers.organization_arn is None,
    )


def group_policy(
    stack: Stack, group_name: str, consumers: ModelConsumers, targets: Sequence[PromotionPartner] = ()
) -> dict[str, Any]:
    """The group's policy: its own account reads, consumers read and make models, other accounts' targets look."""
    group = group_arn(stack, group_name)
    versions = stack.format_arn(service="sagemaker", resource="model-package", resource_name=f"{group_name}/*")
    own = ModelConsumers([stack.account])
    statements = [own.statement("ReadVersions", [*GROUP_ACTIONS, *VERSION_ACTIONS[:2]], [group, versions])]
    if consumers:
        statements.append(consumers.statement("DeployVersions", [*GROUP_ACTIONS, *VERSION_ACTIONS], [group, versions]))
    if elsewhere := [target for target in targets if target.account != stack.account]:
        statements.append(
            iam.PolicyStatement(
                sid="LookForPromotion",
                principals=account_principals(elsewhere),
                actions=["sagemaker:DescribeModelPackage"],
                resources=[versions],
                conditions={"ArnEquals": {"aws:PrincipalArn": [item.receiver_role_arn(stack) for item in elsewhere]}},
            )
        )
    return {"Version": "2012-10-17", "Statement": [statement.to_statement_json() for statement in statements]}


def group_arn(stack: Stack, group_name: str) -> str:
    return stack.format_arn(
        service="sagemaker",
        resource="model-package-group",
        resource_name=group_name,
        arn_format=ArnFormat.SLASH_RESOURCE_NAME,
    )
