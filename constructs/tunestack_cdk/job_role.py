"""The roles: one per kind of job, each allowed what its job does and nothing else."""

from collections.abc import Sequence

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from tunestack_cdk.acknowledge import acknowledge, acknowledge_in_packs, acknowledge_wildcard
from tunestack_cdk.prefix_access import PrefixAccess


def accept_own_policy(role: iam.Role) -> None:
    """The packs want managed policies: a role's own can't be attached to another, and goes with it."""
    reason = "The policy is this role's alone: nobody else can be given it, and it is deleted with the role."
    acknowledge_in_packs(role, "IAMNoInlinePolicy", reason=reason)


def service_role(scope: Construct, construct_id: str, *, service: str, role_name: str | None = None) -> iam.Role:
    """A role that a service of this account can take on; named where another account must know it."""
    conditions = {"StringEquals": {"aws:SourceAccount": Stack.of(scope).account}}
    principal = (
        # Lambda sends no source account when it takes on a function's role.
        iam.ServicePrincipal("lambda.amazonaws.com")
        if service == "lambda"
        else iam.ServicePrincipal(f"{service}.amazonaws.com", conditions=conditions)
    )
    role = iam.Role(scope, construct_id, assumed_by=principal, role_name=role_name)
    accept_own_policy(role)
    return role


def allow_volume_encryption(role: iam.Role, key: kms.IKey) -> None:
    """Let SageMaker encrypt a job's volume: it makes a grant on the key for EBS, in the name of the role."""
    role.add_to_policy(iam.PolicyStatement(actions=["kms:DescribeKey"], resources=[key.key_arn]))
    role.add_to_policy(
        iam.PolicyStatement(
            actions=["kms:CreateGrant"],
            resources=[key.key_arn],
            conditions={"Bool": {"kms:GrantIsForAWSResource": "true"}},
        )
    )


class JobRole(Construct):
    """The execution role of one kind of SageMaker job: its image, its log, its metrics, and what is granted."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        image: ecr.IRepository,
        key: kms.IKey,
        log_group: str,
        encrypts_volume: bool,
        subnet_ids: Sequence[str],
        security_group_ids: Sequence[str],
    ) -> None:
        super().__init__(scope, construct_id)
        self.role = service_role(self, "Role", service="sagemaker")
        self._access = PrefixAccess(self.role, key=key)
        if encrypts_volume:
            allow_volume_encryption(self.role, key)
        image.grant_pull(self.role)
        self._allow_observation(log_group)
        if subnet_ids:
            self._allow_network(subnet_ids, security_group_ids)

    def grant_read(self, bucket: s3.IBucket, prefix: str) -> None:
        """Let the job read what lies under a prefix (SageMaker downloads inputs with the job's role)."""
        self._access.read(bucket, prefix)

    def grant_write(self, bucket: s3.IBucket, prefix: str) -> None:
        """Let the job write under a prefix (SageMaker uploads outputs with the job's role)."""
        self._access.write(bucket, prefix)

    def grant_delete(self, bucket: s3.IBucket, prefix: str) -> None:
        """Let the job delete under a prefix (SageMaker carries deletions of checkpoints to S3)."""
        self._access.delete(bucket, prefix)

    def _allow(self, actions: list[str], resources: list[str]) -> None:
        self.role.add_to_policy(iam.PolicyStatement(actions=actions, resources=resources))

    def _allow_observation(self, log_group: str) -> None:
        stack = Stack.of(self)
        group = stack.format_arn(
            service="logs", resource="log-group", resource_name=log_group, arn_format=ArnFormat.COLON_RESOURCE_NAME
        )
        self._allow(
            ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
            [group, f"{group}:log-stream:*"],
        )
        # PutMetricData has no resource; the namespaces that SageMaker writes to bound it.
        self.role.add_to_policy(
            iam.PolicyStatement(
                actions=["cloudwatch:PutMetricData"],
                resources=["*"],
                conditions={
                    "StringLike": {"cloudwatch:namespace": ["/aws/sagemaker/*", "aws/sagemaker/*", "AWS/SageMaker*"]}
                },
            )
        )
        acknowledge(
            self.role,
            "AwsSolutions-IAM5[Resource::*]",
            reason="GetAuthorizationToken, PutMetricData and a network's Describe calls have no narrower resource.",
        )
        acknowledge_wildcard(
            self.role,
            f"{group}:log-stream:*",
            reason="A log stream is named after its job, which isn't known here.",
        )

    def _allow_network(self, subnet_ids: Sequence[str], security_group_ids: Sequence[str]) -> None:
        """What a job in a VPC needs (SageMaker makes its network interfaces with the job's role)."""
        stack = Stack.of(self)

        def arn(resource: str, name: str) -> str:
            return stack.format_arn(service="ec2", resource=resource, resource_name=name)

        interfaces = arn("network-interface", "*")
        self._allow(
            ["ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface"],
            [
                interfaces,
                *(arn("subnet", name) for name in subnet_ids),
                *(arn("security-group", name) for name in security_group_ids),
            ],
        )
        # Without a condition: SageMaker isn't documented to send ec2:AuthorizedService.
        self._allow(["ec2:CreateNetworkInterfacePermission", "ec2:DeleteNetworkInterfacePermission"], [interfaces])
        self._allow(
            [
                "ec2:DescribeDhcpOptions",
                "ec2:DescribeNetworkInterfaces",
                "ec2:DescribeSecurityGroups",
                "ec2:DescribeSubnets",
                "ec2:DescribeVpcs",
            ],
            ["*"],
        )
        acknowledge_wildcard(
            self.role,
            interfaces,
            reason="A job's network interfaces are made when it starts; their ids aren't known here.",
        )
