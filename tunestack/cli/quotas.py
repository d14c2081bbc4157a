"""`tunestack quotas`: which service quotas an environment's jobs need, and whether the account has them."""

import json
from typing import Any

import click

from tunestack.catalogue.quotas import Quota

# An execution runs its steps one after the other, each on one instance.
NEEDED = 1


@click.command("quotas")
@click.option("--env", default="dev", show_default=True, help="The environment, a file in config/.")
@click.option("--check", is_flag=True, help="Ask the account, with the credentials of the environment.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def quotas_command(env: str, check: bool, as_json: bool) -> None:
    """List the quotas that an environment's jobs need, by exact code and name, and the request for each."""
    from tunestack.planning.blueprint import blueprint_of
    from tunestack.planning.quotas import quotas_of
    from tunestack.settings.loading import load_settings

    settings = load_settings(env)
    region = settings.environment.region
    rows = [
        {"job": need.job, "instance_type": need.instance_type, "code": need.quota.code if need.quota else None,
         "name": need.name, "needed": NEEDED, "default": need.quota.default if need.quota else None,
         "account": account_value(need.quota, region) if check and need.quota else None}
        for need in quotas_of(blueprint_of(settings).jobs)
    ]  # fmt: skip
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    for row in rows:
        _print(row, region, checked=check)


def account_value(quota: Quota, region: str) -> float | str:
    """What the account has, or "unknown" where it may not ask: a refused look-up isn't a quota of 0."""
    import boto3
    from botocore.exceptions import ClientError

    client = boto3.client("service-quotas", region_name=region)
    try:
        value: float = client.get_service_quota(ServiceCode="sagemaker", QuotaCode=quota.code)["Quota"]["Value"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchResourceException":
            return "unknown" if quota.default is None else quota.default
        return "unknown"
    return value


def _print(row: dict[str, Any], region: str, *, checked: bool) -> None:
    default = "unknown" if row["default"] is None else f"{row['default']:g}"
    has = f", the account has {row['account']}" if checked else ""
    click.echo(
        f"{row['job']}: {row['name']} ({row['code'] or 'code unknown'}): needs {row['needed']}, default {default}{has}"
    )
    found = row["account"] if checked else row["default"]
    # Totals have a default that is enough; a type's own may be 0 in a new account whatever the default says.
    enough = isinstance(found, float) and found >= row["needed"] and (checked or row["instance_type"] is None)
    if row["code"] and not enough:
        click.echo(
            f"  aws service-quotas request-service-quota-increase --service-code sagemaker --quota-code {row['code']} "
            f"--desired-value {row['needed']} --region {region}"
        )
