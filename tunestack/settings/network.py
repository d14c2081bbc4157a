"""The settings of the network that the jobs run in: one of the kit's own, the account's, or none."""

from ipaddress import IPv4Network
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from tunestack.catalogue.zones import zones_with_endpoints
from tunestack.settings.forms import form
from tunestack.settings.section import Section
from tunestack.settings.values import each_once

_PRIVATE_NETWORKS = tuple(map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")))

_SUBNET_PREFIX_LENGTH = 24


def _private_network(cidr: str) -> str:
    wanted = "must be a private network of a VPC's size, /16 to /24, such as 10.20.0.0/16"
    try:
        network = IPv4Network(cidr)
    except ValueError as error:
        raise ValueError(f"{wanted}, got {cidr!r}: {error}") from None
    private = any(network.subnet_of(known) for known in _PRIVATE_NETWORKS)
    if not private or not 16 <= network.prefixlen <= 24:
        raise ValueError(f"{wanted}, got {cidr!r}")
    return cidr


class ExistingVpc(Section):
    """A VPC that the account has already. Its subnets need a way to S3, best as a gateway endpoint; what it lets out,
    what it costs and whether its flows are logged is its owner's."""

    subnet_ids: Annotated[
        list[Annotated[str, form(r"^subnet-[0-9a-f]{8,17}$", "must be a subnet's id, such as subnet-0a1b2c3d")]],
        Field(min_length=1, max_length=16),
        AfterValidator(each_once),
    ]
    """Private subnets of this account, by id: in zones that have the instance types, with addresses to spare."""
    security_group_ids: Annotated[
        list[Annotated[str, form(r"^sg-[0-9a-f]{8,17}$", "must be a security group's id, such as sg-0a1b2c3d")]],
        Field(min_length=1, max_length=5),
        AfterValidator(each_once),
    ]
    """Security groups of that VPC, by id: HTTPS out, and everything between the machines of one job."""


# What says what a VPC of the kit's own looks like.
_OF_OWN_VPC = frozenset({"private_vpc", "cidr", "availability_zones", "availability_zone_ids"})


class Network(Section):
    """The network that the jobs run in."""

    private_vpc: bool = True
    """A VPC without internet access, with the endpoints that the jobs need; false: no VPC at all, which
    saves the endpoints' standing cost."""
    existing: ExistingVpc | None = None
    """A VPC of the account that is used instead: no network is made then, and nothing else is said here."""
    cidr: Annotated[str, AfterValidator(_private_network)] = "10.20.0.0/16"
    """The VPC's private addresses, divided into a subnet for each zone; choose a range of its own where networks are
    joined."""
    availability_zones: Annotated[int, Field(ge=1, le=3)] = 2
    """How many zones; each adds an address, and its hourly price, to every interface endpoint."""
    availability_zone_ids: (
        list[Annotated[str, form(r"^[a-z]+[0-9]-az[0-9]$", "must be a zone's id, such as use1-az1")]] | None
    ) = None
    """Which zones, by id (`use1-az1`: a zone's name means another place in each account); choose those that have
    every endpoint and the instance types. null: the first ones known to have the endpoints, else by position."""

    @model_validator(mode="after")
    def _as_many_zones_as_ids(self) -> "Network":
        ids = self.availability_zone_ids
        if ids is not None and (len(set(ids)) != len(ids) or len(ids) != self.availability_zones):
            raise ValueError(
                f"availability_zone_ids must name availability_zones ({self.availability_zones}) different zones, "
                f"got {', '.join(ids) or 'none'}"
            )
        return self

    @model_validator(mode="after")
    def _nothing_beside_an_existing_one(self) -> "Network":
        beside = sorted(_OF_OWN_VPC & self.model_fields_set)
        if self.existing and beside:
            raise ValueError(f"existing takes the place of a VPC of the kit's own: leave out {', '.join(beside)}")
        return self

    @property
    def is_made(self) -> bool:
        """Whether the stacks make a VPC."""
        return self.private_vpc and self.existing is None

    @property
    def subnet_prefix_length(self) -> int:
        """Of each zone's subnet: /24, or smaller where the VPC's range must be divided further to have room for all.

        The smallest, three in a /24, have 59 addresses each; the endpoints take nine.
        """
        bits = (self.availability_zones - 1).bit_length()
        return max(_SUBNET_PREFIX_LENGTH, IPv4Network(self.cidr).prefixlen + bits)

    def zone_ids(self, region: str) -> list[str] | None:
        """The zones by id, or None where the region's aren't known here."""
        known = self.availability_zone_ids or zones_with_endpoints(region)[: self.availability_zones]
        return list(known) or None
