"""The AWS price list service: SageMaker's instance prices of a region, without what only looks like one."""

import json
from collections.abc import Iterator
from typing import Any

from tunestack.catalogue.instances import JobKind
from tunestack.catalogue.refreshed_prices import RefreshedPrice
from tunestack.errors import UserError

# The service is offered in few regions; prices of all regions are asked there.
SERVICE_REGION = "us-east-1"
_KINDS: dict[str, JobKind] = {
    "Training": "training", "Processing": "processing", "Batch Transform": "transform", "Hosting": "hosting",
}  # fmt: skip


def fetch_prices(client: Any, region: str) -> list[RefreshedPrice]:
    """All instance prices of a region, from boto3's `pricing` client.

    Raises:
        UserError: the list has none of the region.
    """
    pages = client.get_paginator("get_products").paginate(
        ServiceCode="AmazonSageMaker",
        FormatVersion="aws_v1",
        Filters=[{"Type": "TERM_MATCH", "Field": "regionCode", "Value": region}],
    )
    found = {price.key: price for page in pages for item in page["PriceList"] for price in _prices(item, region)}
    if not found:
        raise UserError(f"the price list has no SageMaker instance in {region!r}; is that a region?")
    return list(found.values())


def _prices(item: str, region: str) -> Iterator[RefreshedPrice]:
    """The item's price, where it is an hour of an instance for one of the kinds of job.

    The list's `instanceType` carries suffixes or is empty: `component` and `instanceName` say what it is. Left out are
    free tiers ($0), Outposts, serverless, HyperPod's clusters and the fees of training plans.
    """
    product = json.loads(item)
    attributes = product["product"]["attributes"]
    kind, name = _KINDS.get(attributes.get("component") or ""), attributes.get("instanceName")
    hosted_elsewhere = attributes.get("locationType", "AWS Region") != "AWS Region"
    serverless = product["product"].get("productFamily") != "ML Instance"
    if kind is None or not name or attributes.get("regionCode") != region or hosted_elsewhere or serverless:
        return
    for term in product["terms"].get("OnDemand", {}).values():
        for dimension in term["priceDimensions"].values():
            usd = float(dimension["pricePerUnit"].get("USD", 0))
            if dimension["unit"] in ("Hrs", "Hours", "hours") and usd > 0:
                yield RefreshedPrice(
                    region=region,
                    instance_type=name,
                    kind=kind,
                    usd_per_hour=usd,
                    as_of=product["publicationDate"][:10],
                    source="AWS price list service",
                )
