"""`tunestack quotas`: which service quotas an environment's jobs need, and whether the account has them."""

import json
from typing import Any

import click

from tunestack.catalogue.quotas import Quota, QuotaUse, find_quota


@click.command("quotas")
@click.option("--env", default="dev", show_default=True, help="The environment, a file in config/.")
@click.option("--check", is_flag=True, help="Ask the account, with the credentials of the environment.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def quotas_command(env: str, check: bool, as_json: bool) -> None:
    """List the quotas that an environment's jobs need, by exact code and name, and the request for each."""
    from tunestack.settings import load_settings

    settings = load_settings(env)
    region = settings.environment.region
    rows = [
        {"job": job, "instance_type": name, "code": quota.code if quota else None,
         "name": f"{name} for {use} usage", "needed": 1, "default": quota.default if quota else None,
         "account": account_value(quota, region) if check and quota else None}
        for job, name, use in needed(settings) for quota in [find_quota(name, use)]
    ]  # fmt: skip
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    for row in rows:
        _print(row, region, checked=check)


def needed(settings: Any) -> list[tuple[str, str, QuotaUse]]:
    """Each job's instance types and what their quota is called: an instance of each at a time."""
    jobs = settings.environment.jobs
    training: QuotaUse = "spot training job" if jobs.train.spot else "training job"
    uses: list[tuple[str, Any, QuotaUse]] = [
        ("prepare", jobs.prepare, "processing job"),
        ("train", jobs.train, training),
        ("evaluate", jobs.evaluate, "processing job"),
        ("register", jobs.registration, "processing job"),
        ("transform", jobs.transform, "transform job"),
    ]
    return [(job, name, use) for job, chosen, use in uses for name in chosen.instance_choices]


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
    click.echo(f"{row['job']}: {row['name']} ({row['code'] or 'code unknown'}): needs 1, default {default}{has}")
    enough = isinstance(row["account"], float) and row["account"] >= 1
    if row["code"] and not enough:
        click.echo(
            f"  aws service-quotas request-service-quota-increase --service-code sagemaker --quota-code {row['code']} "
            f"--desired-value 1 --region {region}"
        )
