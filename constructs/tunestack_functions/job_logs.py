"""Give SageMaker's log groups, which are named by the service and one for all jobs, their retention and their key."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tunestack_functions.answer import answer
from tunestack_functions.aws import client
from tunestack_functions.declared import Call, FunctionSettings, Here
from tunestack_functions.events import CustomResourceRequest

PHYSICAL_ID = "job-logs"
# On the groups that this function made: another environment of the kit may give them a longer retention.
MADE_HERE = {"made-by": "tunestack"}


@dataclass(frozen=True, kw_only=True)
class Settings(FunctionSettings):
    """The groups' names, and what they get; `change_others`: those, too, that others made or may have set."""

    log_group_names: list[str]
    retention_days: int
    key_arn: str | None = None
    change_others: bool = False


def calls(settings: Settings, here: Here) -> Iterator[Call]:
    """Every call of AWS that the function makes."""
    groups = [here.arn("logs", f"log-group:{name}") for name in settings.log_group_names]
    # The service names a log group with or without its streams.
    named = (*groups, *(f"{group}:*" for group in groups))
    for operation in ("create_log_group", "put_retention_policy", *(["associate_kms_key"] if settings.key_arn else [])):
        yield Call(client="logs", operation=operation, on=named)
    # A group that is made with tags; and whether one has them.
    yield Call(client="logs", operation="create_log_group", named="TagResource", on=named)
    yield Call(client="logs", operation="list_tags_for_resource", on=named)
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
    """Make a group and give it what is wanted; one that is there already is changed where it is the kit's, or asked.

    A group without a retention never expires: that is longer than any.
    """
    logs = client("logs")
    made = _make(logs, name)
    groups = logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    found = next(group for group in groups if group["logGroupName"] == name)
    retention_days = found.get("retentionInDays")
    if not made and not settings.change_others:
        tags = logs.list_tags_for_resource(resourceArn=found["arn"].removesuffix(":*"))["tags"]
        if not MADE_HERE.items() <= tags.items():
            print(f"{name} is others': its retention of {retention_days or 'no'} days and its key stay")
            return
    is_shorter = retention_days is not None and retention_days < settings.retention_days
    if (made or settings.change_others or is_shorter) and retention_days != settings.retention_days:
        logs.put_retention_policy(logGroupName=name, retentionInDays=settings.retention_days)
    if settings.key_arn and (settings.change_others or not found.get("kmsKeyId")):
        logs.associate_kms_key(logGroupName=name, kmsKeyId=settings.key_arn)


def _make(logs: Any, name: str) -> bool:
    """Make a group; whether it wasn't there."""
    try:
        logs.create_log_group(logGroupName=name, tags=MADE_HERE)
    except logs.exceptions.ResourceAlreadyExistsException:
        return False
    return True
