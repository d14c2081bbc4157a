"""Availability zones, by id: a zone's name means another place in each account."""

# The zones of a region that have every interface endpoint that the jobs need, where a zone is known to lack some.
# us-east-1 has six; use1-az3 lacks SageMaker's and most newer ones (AWS PrivateLink's guide, "Services with
# endpoints by zone", and reports of refused endpoints, 2026-11).
_WITH_ENDPOINTS = {"us-east-1": ("use1-az1", "use1-az2", "use1-az4", "use1-az5", "use1-az6")}


def zones_with_endpoints(region: str) -> tuple[str, ...]:
    """The ids of the zones to choose from; empty where none of the region's is known to lack an endpoint."""
    return _WITH_ENDPOINTS.get(region, ())


def zone_prefix(region: str) -> str:
    """What the ids of a region's zones begin with: `use1` of us-east-1, `apse2` of ap-southeast-2.

    Source: the ids of DescribeAvailabilityZones, as the AWS RAM guide ("Availability Zone IDs") explains them.
    """
    *area, direction, number = region.split("-")
    place = "".join(part if part != "gov" else "g" for part in area)
    return f"{place}{_DIRECTIONS[direction]}{number}"


_DIRECTIONS = {
    "north": "n", "south": "s", "east": "e", "west": "w", "central": "c",
    "northeast": "ne", "southeast": "se", "northwest": "nw", "southwest": "sw",
}  # fmt: skip
