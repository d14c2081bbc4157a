"""`tunestack prices`: the catalogue's prices, read again from AWS."""

import click

from tunestack.catalogue.refreshed_prices import refreshed_prices, write_refreshed
from tunestack.cli.lazy import SuggestingGroup


@click.group(cls=SuggestingGroup)
def prices() -> None:
    """The price catalogue."""


@prices.command()
@click.option("--region", "regions", multiple=True, default=("us-east-1",), show_default=True)
def refresh(regions: tuple[str, ...]) -> None:
    """Read SageMaker's instance prices from the AWS price list service, and show what changed."""
    import boto3

    from tunestack.catalogue import find_instance_price
    from tunestack.costs.price_list import SERVICE_REGION, fetch_prices

    client = boto3.client("pricing", region_name=SERVICE_REGION)
    fetched = [price for region in regions for price in fetch_prices(client, region)]
    for price in sorted(fetched, key=lambda item: item.key):
        known = find_instance_price(price.instance_type, price.kind, region=price.region)
        if known is None or known.usd != price.usd_per_hour:
            before = "unknown" if known is None else f"${known.usd:g}{'' if known.exact else ' (list)'}"
            click.echo(f"{price.region} {price.instance_type} {price.kind}: {before} → ${price.usd_per_hour:g}")
    kept = {key: price for key, price in refreshed_prices().items() if price.region not in regions}
    write_refreshed([*kept.values(), *fetched])
    click.echo(f"{len(fetched)} prices of {', '.join(regions)}, as of {max(price.as_of for price in fetched)}")
