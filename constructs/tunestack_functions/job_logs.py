"""Give SageMaker's log groups, which are named by the service and one for all jobs, their retention and their key."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

from tunestack_functions.answer import answer
from tunestack_functions.aws import client
from tunestack_functions.declared import Call, FunctionSettings, Here
from tunestack_functions.events import CustomResourceRequest

PHYSICAL_ID = "job-logs"


@dataclass(frozen=True, kw_only=True)
class Settings(FunctionSettings):
    """The groups' names, and what they get."""

    log_group_names: list[str]
    retention_days: int
    key_arn: str | None = None


def calls(settings: Settings, here: Here) -> Iterator[Call]:
    """Every call of AWS that the function makes."""
    groups = [here.arn("logs", f"log-group:{name}") for name in settings.log_group_names]
    # The service names a log group with or without its streams.
    named = (*groups, *(f"{group}:*" for group in groups))
    for operation in ("create_log_group", "put_retention_policy", *(["associate_kms_key"] if settings.key_arn else [])):
        yield Call(client="logs", operation=operation, on=named)
    # The groups are looked up by the beginning of their names, in the list of all.
    yield Call(client="logs", operation="describe_log_groups", on=("*",))


def handler(event: CustomResourceRequest, context: object) -> None:
    """A custom resource's request. On deletion everything stays: logs outlive what wrote them."""
    try:
        if event["RequestType"] != "Delete":
            settings = Settings.read()
            for name in settings.log_group_names:
                settle(name, settings)
        answer(event, PHYSICAL_ID)
    except Exception as error:  # Whatever it is, CloudFormation must hear of it, or it waits for an hour.
        answer(event, PHYSICAL_ID, failure=f"the jobs' log groups could not be set up: {error}")


def settle(name: str, settings: Settings) -> None:
    """Make a group, or take it as it is, and give it what is wanted."""
    logs = client("logs")
    with contextlib.suppress(logs.exceptions.ResourceAlreadyExistsException):
        logs.create_log_group(logGroupName=name)
    groups = logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    found = next(group for group in groups if group["logGroupName"] == name)
    # Other environments and teams write there too: what they have set is never shortened, their key never replaced.
    if found.get("retentionInDays", 0) < settings.retention_days:
        logs.put_retention_policy(logGroupName=name, retentionInDays=settings.retention_days)
    if settings.key_arn and not found.get("kmsKeyId"):
        logs.associate_kms_key(logGroupName=name, kmsKeyId=settings.key_arn)
