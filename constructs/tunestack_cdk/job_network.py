"""The network of the jobs: private subnets, no way to the internet, endpoints to what the jobs need."""

from collections.abc import Sequence
from typing import Protocol

from aws_cdk import Fn, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from constructs import Construct

from tunestack_cdk.acknowledge import acknowledge_in_packs
from tunestack_cdk.job_role import service_role
from tunestack_cdk.retention import removal_policy

_SERVICES = {
    "SageMakerApi": ec2.InterfaceVpcEndpointAwsService.SAGEMAKER_API,
    "SageMakerRuntime": ec2.InterfaceVpcEndpointAwsService.SAGEMAKER_RUNTIME,
    "EcrApi": ec2.InterfaceVpcEndpointAwsService.ECR,
    "EcrDocker": ec2.InterfaceVpcEndpointAwsService.ECR_DOCKER,
    "Logs": ec2.InterfaceVpcEndpointAwsService.CLOUDWATCH_LOGS,
    "Metrics": ec2.InterfaceVpcEndpointAwsService.CLOUDWATCH_MONITORING,
    "Sts": ec2.InterfaceVpcEndpointAwsService.STS,
    "Kms": ec2.InterfaceVpcEndpointAwsService.KMS,
    "SecretsManager": ec2.InterfaceVpcEndpointAwsService.SECRETS_MANAGER,
}
_IMAGES = ("EcrApi", "EcrDocker")


class JobVpc(Protocol):
    """What a job is told of the VPC that it runs in: one of the kit's own, or an existing one."""

    @property
    def subnet_ids(self) -> Sequence[str]:
        """The subnets that jobs run in."""
        ...

    @property
    def security_group_ids(self) -> Sequence[str]:
        """The groups that jobs are in."""
        ...


class JobNetwork(Construct):
    """A VPC without internet access. Jobs reach each other, the endpoints, and S3 through its gateway.

    `image_accounts`: other accounts whose repositories the jobs' images are pulled from.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        cidr: str,
        subnet_prefix_length: int = 24,
        availability_zones: int,
        zone_ids: Sequence[str] | None,
        image_accounts: Sequence[str] = (),
        key: kms.IKey,
        log_retention: logs.RetentionDays,
        delete_with_stack: bool,
    ) -> None:
        super().__init__(scope, construct_id)
        self._image_accounts = image_accounts
        self._removal_policy = removal_policy(delete_with_stack=delete_with_stack)
        self.vpc = ec2.Vpc(
            self,
            "Vpc",
            ip_addresses=ec2.IpAddresses.cidr(cidr),
            # Named one by one: a stack that isn't bound to an account would stop at two.
            availability_zones=[Fn.select(index, Fn.get_azs()) for index in range(availability_zones)],
            subnet_configuration=[
                ec2.SubnetConfiguration(
                    name="Jobs", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED, cidr_mask=subnet_prefix_length
                )
            ],
            restrict_default_security_group=True,
        )
        self._reach_own_buckets()
        self._place_subnets(zone_ids)
        self._log_flows(key, log_retention)
        self.security_group = self._job_security_group()
        self._add_endpoints()

    @property
    def subnet_ids(self) -> list[str]:
        """The subnets that jobs run in."""
        return [subnet.subnet_id for subnet in self.vpc.isolated_subnets]

    @property
    def security_group_ids(self) -> list[str]:
        """The group that jobs are in."""
        return [self.security_group.security_group_id]

    def _reach_own_buckets(self) -> None:
        """The way to S3: to this account's buckets, and to ECR's, where the layers of every image lie."""
        stack = Stack.of(self)
        endpoint = self.vpc.add_gateway_endpoint("S3", service=ec2.GatewayVpcEndpointAwsService.S3)
        layers = f"arn:{stack.partition}:s3:::prod-{stack.region}-starport-layer-bucket/*"
        own = {"StringEquals": {"aws:ResourceAccount": stack.account}}
        for sid, actions, resource, conditions in (
            ("OwnBuckets", ["s3:*"], "*", own),
            ("ImageLayers", ["s3:GetObject"], layers, {}),
        ):
            endpoint.add_to_policy(
                iam.PolicyStatement(
                    sid=sid,
                    principals=[iam.AnyPrincipal()],
                    actions=actions,
                    resources=[resource],
                    conditions=conditions,
                )
            )

    def _place_subnets(self, zone_ids: Sequence[str] | None) -> None:
        """Put the subnets where every endpoint is: a zone's name, or its place in the list, means another zone in
        each account."""
        for subnet, zone_id in zip(self.vpc.isolated_subnets, zone_ids or (), strict=False):
            resource = subnet.node.default_child
            assert isinstance(resource, ec2.CfnSubnet)
            resource.availability_zone = None
            resource.availability_zone_id = zone_id

    def _log_flows(self, key: kms.IKey, retention: logs.RetentionDays) -> None:
        log_group = logs.LogGroup(
            self, "FlowLogs", encryption_key=key, retention=retention, removal_policy=self._removal_policy
        )
        role = service_role(self, "FlowLogRole", service="vpc-flow-logs")
        self.vpc.add_flow_log("FlowLog", destination=ec2.FlowLogDestination.to_cloud_watch_logs(log_group, role))

    def _job_security_group(self) -> ec2.SecurityGroup:
        group = ec2.SecurityGroup(
            self, "JobSecurityGroup", vpc=self.vpc, description="SageMaker jobs", allow_all_outbound=False
        )
        group.add_ingress_rule(group, ec2.Port.all_traffic(), "peers of a distributed job")
        reason = "From the group's own members alone: the processes of one job, which choose their ports themselves."
        acknowledge_in_packs(group, "EC2RestrictedCommonPorts", reason=reason)
        group.add_egress_rule(group, ec2.Port.all_traffic(), "peers of a distributed job")
        # S3's addresses aren't known here; the VPC has no other way out than its endpoints.
        group.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(443), "endpoints, and S3 through its gateway")
        return group

    def _add_endpoints(self) -> None:
        group = ec2.SecurityGroup(
            self, "EndpointSecurityGroup", vpc=self.vpc, description="VPC endpoints", allow_all_outbound=False
        )
        group.add_ingress_rule(self.security_group, ec2.Port.tcp(443), "jobs")
        account = Stack.of(self).account
        for name, service in _SERVICES.items():
            endpoint = self.vpc.add_interface_endpoint(
                name, service=service, private_dns_enabled=True, open=False, security_groups=[group]
            )
            others = self._image_accounts if name in _IMAGES else ()
            owners = {"aws:PrincipalAccount": account, "aws:ResourceAccount": [account, *others]}
            endpoint.add_to_policy(
                # Neither somebody else's credentials nor somebody else's resource: data has no way out here.
                iam.PolicyStatement(
                    sid="OwnAccount",
                    principals=[iam.AnyPrincipal()],
                    actions=["*"],
                    resources=["*"],
                    conditions={"StringEquals": owners},
                )
            )
