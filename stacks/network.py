"""The network that jobs run in."""

from typing import Any

from aws_cdk import Fn, Stack
from aws_cdk import aws_kms as kms
from constructs import Construct
from tunestack_cdk.job_network import JobNetwork
from tunestack_cdk.log_retention import log_retention

from tunestack.settings.loading import Settings

MOST_ZONES = 3


class NetworkStack(Stack):
    """A VPC without internet access, with endpoints."""

    def __init__(
        self, scope: Construct, construct_id: str, *, settings: Settings, key: kms.IKey, **kwargs: Any
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        environment = settings.environment
        self.network = JobNetwork(
            self,
            "JobNetwork",
            cidr=environment.network.cidr,
            subnet_prefix_length=environment.network.subnet_prefix_length,
            availability_zones=environment.network.availability_zones,
            zone_ids=environment.network.zone_ids(environment.region),
            image_accounts=[origin.account for origin in settings.origins],
            key=key,
            log_retention=log_retention(environment.log_retention_days),
            delete_with_stack=settings.deletes_data,
        )

    @property
    def availability_zones(self) -> list[str]:
        """By position, as CloudFormation knows them: CDK would ask the account for their names, at synthesis."""
        return [Fn.select(index, Fn.get_azs()) for index in range(MOST_ZONES)]
