"""The consumer's side of `registry.consumer_accounts`: what a role in another account needs to serve a version."""

from aws_cdk import Aws, CfnResource, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from tunestack.layout import CONSUMES_METADATA, PACKAGES
from tunestack_cdk.acknowledge import acknowledge, acknowledge_wildcard
from tunestack_cdk.job_role import service_role
from tunestack_cdk.model_consumers import PULL_ACTIONS
from tunestack_cdk.promotion_partner import PromotionPartner


class ModelConsumerRole(Construct):
    """An execution role for models, endpoints and transforms that are made from another account's versions.

    It reads the archive, its key and its image; `grant_deploy` lets somebody make models from the versions with it.
    Its account must be one that the other's settings name (`registry.consumer_accounts`, or its organisation).
    """

    def __init__(self, scope: Construct, construct_id: str, *, source: PromotionPartner) -> None:
        super().__init__(scope, construct_id)
        self._source = source
        stack = Stack.of(self)
        self.role = service_role(self, "Role", service="sagemaker")
        archives = stack.format_arn(service="s3", account="", region="", resource="*", resource_name=PACKAGES.key("*"))
        repository, keys = source.repository_arn(stack), source.keys_arn(stack)
        for actions, resource, conditions in (
            (["s3:GetObject"], archives, {"aws:ResourceAccount": source.account}),
            (["kms:Decrypt"], keys, {"kms:ViaService": f"s3.{source.region}.{stack.url_suffix}"}),
            (list(PULL_ACTIONS), repository, {}),
            (["ecr:GetAuthorizationToken"], "*", {}),
        ):
            equal = {"StringEquals": conditions} if conditions else None
            self.role.add_to_policy(iam.PolicyStatement(actions=actions, resources=[resource], conditions=equal))
        reason = "What the other environment's stacks make gets its name there: its account and its policies bound it."
        for arn in (archives, keys):
            acknowledge_wildcard(self.role, arn, reason=reason)
        acknowledge(self.role, "AwsSolutions-IAM5[Resource::*]", reason="GetAuthorizationToken has no resource.")
        # So that the permission proof knows what the role is for.
        made = self.role.node.default_child
        assert isinstance(made, CfnResource)
        made.add_metadata(
            CONSUMES_METADATA,
            {"Account": source.account, "Versions": source.versions_arn(stack), "Repository": repository},
        )

    def grant_deploy(self, deployer: iam.IGrantable) -> None:
        """Let somebody look at the versions, and make models from them that run as this role."""
        stack = Stack.of(self)
        versions = self._source.versions_arn(stack)
        models = stack.format_arn(service="sagemaker", account=Aws.ACCOUNT_ID, resource="model", resource_name="*")
        for actions, resources in (
            (["sagemaker:DescribeModelPackage", "sagemaker:ListModelPackages"], [versions]),
            (["sagemaker:CreateModel"], [versions, models]),
        ):
            deployer.grant_principal.add_to_principal_policy(iam.PolicyStatement(actions=actions, resources=resources))
        deployer.grant_principal.add_to_principal_policy(
            iam.PolicyStatement(
                actions=["iam:PassRole"],
                resources=[self.role.role_arn],
                conditions={"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
            )
        )
