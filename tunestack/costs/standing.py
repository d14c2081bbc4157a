"""What a stack's resources cost a month before anything runs."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tunestack.catalogue import find_price
from tunestack.costs.usage import Usage

HOURS_PER_MONTH = 730


@dataclass(frozen=True, kw_only=True)
class ResourceUse:
    """One resource of a template: its CloudFormation type, and how many priced units it stands for.

    An interface endpoint counts one unit a subnet; a gateway endpoint none.
    """

    type: str
    units: int = 1

    @classmethod
    def of(cls, kind: str, properties: Mapping[str, Any]) -> "ResourceUse":
        """A template's resource by its type; how many units can't be told, it has no price by that name."""
        if kind != "AWS::EC2::VPCEndpoint":
            return cls(type=kind)
        sort, subnets = properties.get("VpcEndpointType", "Gateway"), properties.get("SubnetIds")
        if sort == "Gateway":
            return cls(type=kind, units=0)
        if sort == "Interface" and isinstance(subnets, list):
            return cls(type=kind, units=len(subnets))
        return cls(type=f"{kind} ({'in unknown subnets' if sort == 'Interface' else sort})")


@dataclass(frozen=True, kw_only=True)
class StandingCost:
    """Dollars a month (None where something has no known price), what makes them up, and what has no price."""

    usd_per_month: float | None
    drivers: dict[str, float]
    unpriced: tuple[str, ...]


# Type → the catalogue's service and item, and its units a month.
PRICED = {
    "AWS::KMS::Key": ("KMS", "Customer managed key", 1),
    "AWS::EC2::VPCEndpoint": ("VPC", "Interface endpoint", HOURS_PER_MONTH),
    "AWS::CloudWatch::Alarm": ("CloudWatch", "Alarm, standard resolution", 1),
    # The kit makes none; a team's own stack beside it may.
    "AWS::EC2::NatGateway": ("VPC", "NAT gateway", HOURS_PER_MONTH),
    "AWS::EC2::EIP": ("VPC", "Public IPv4 address", HOURS_PER_MONTH),
}
# Types that cost nothing by standing there; what they store or do is counted as usage (tunestack/costs/usage.py).
FREE_OR_BILLED_BY_USE = frozenset(
    {
        "AWS::Budgets::Budget",
        "AWS::CDK::Metadata",
        "AWS::CloudFormation::CustomResource",
        "AWS::CodeBuild::Project",
        "AWS::EC2::FlowLog",
        "AWS::EC2::InternetGateway",
        "AWS::EC2::Route",
        "AWS::EC2::RouteTable",
        "AWS::EC2::SecurityGroup",
        "AWS::EC2::SecurityGroupEgress",
        "AWS::EC2::SecurityGroupIngress",
        "AWS::EC2::Subnet",
        "AWS::EC2::SubnetRouteTableAssociation",
        "AWS::EC2::VPC",
        "AWS::EC2::VPCGatewayAttachment",
        "AWS::ECR::Repository",
        "AWS::Events::EventBus",
        "AWS::Events::EventBusPolicy",
        "AWS::Events::Rule",
        "AWS::IAM::ManagedPolicy",
        "AWS::IAM::OIDCProvider",
        "AWS::IAM::Policy",
        "AWS::IAM::Role",
        "AWS::KMS::Alias",
        "AWS::Lambda::EventSourceMapping",
        "AWS::Lambda::Function",
        "AWS::Lambda::Permission",
        "AWS::Logs::LogGroup",
        "AWS::RAM::ResourceShare",
        "AWS::ECR::SigningConfiguration",
        "AWS::Signer::SigningProfile",
        "AWS::S3::Bucket",
        "AWS::S3::BucketPolicy",
        "AWS::SageMaker::ModelPackageGroup",
        "AWS::SageMaker::Pipeline",
        "AWS::SNS::Topic",
        "AWS::SNS::TopicPolicy",
        "AWS::SQS::Queue",
        "AWS::SQS::QueuePolicy",
        "Custom::ImageBuild",
        "Custom::JobLogs",
        "Custom::S3AutoDeleteObjects",
        "Custom::VpcRestrictDefaultSG",
    }
)


def standing_cost(resources: Iterable[ResourceUse], *, region: str, usage: Iterable[Usage] = ()) -> StandingCost:
    """The cost of a stack's resources for a month of 730 hours, and of what they hold, at the region's prices."""
    units: Counter[str] = Counter()
    for resource in resources:
        units[resource.type] += resource.units
    drivers: dict[str, float] = {}
    unpriced: set[str] = set()
    for kind, count in sorted(units.items()):
        if kind in FREE_OR_BILLED_BY_USE or count == 0:
            continue
        service, item, per_month = PRICED.get(kind, ("", "", 0))
        price = find_price(service, item, region=region) if service else None
        if price is None:
            unpriced.add(kind)
        else:
            drivers[f"{count} × {price.item}"] = count * per_month * price.usd
    for use in usage:
        price = find_price(use.service, use.item, region=region)
        if price is None:
            unpriced.add(f"{use.service} {use.item}")
        else:
            drivers[f"{use.service}: {use.what}"] = use.units * price.usd
    return StandingCost(
        usd_per_month=None if unpriced else sum(drivers.values()), drivers=drivers, unpriced=tuple(sorted(unpriced))
    )
