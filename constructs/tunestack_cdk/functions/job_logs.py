"""Give SageMaker's log groups, which are named by the service and one for all jobs, their retention and their key."""

import contextlib
from typing import Any

import boto3
from answer import answer

PHYSICAL_ID = "job-logs"


def handler(event: dict[str, Any], context: object) -> None:
    """A custom resource's request. On deletion everything stays: logs outlive what wrote them."""
    try:
        if event["RequestType"] != "Delete":
            for name in event["ResourceProperties"]["LogGroupNames"]:
                settle(name, event["ResourceProperties"])
        answer(event, PHYSICAL_ID)
    except Exception as error:  # Whatever it is, CloudFormation must hear of it, or it waits for an hour.
        answer(event, PHYSICAL_ID, failure=f"the jobs' log groups could not be set up: {error}")


def settle(name: str, wanted: dict[str, Any]) -> None:
    logs = boto3.client("logs")
    with contextlib.suppress(logs.exceptions.ResourceAlreadyExistsException):
        logs.create_log_group(logGroupName=name)
    groups = logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    found = next(group for group in groups if group["logGroupName"] == name)
    # Other environments and teams write there too: what they have set is never shortened, their key never replaced.
    if found.get("retentionInDays", 0) < int(wanted["RetentionInDays"]):
        logs.put_retention_policy(logGroupName=name, retentionInDays=int(wanted["RetentionInDays"]))
    if wanted.get("KmsKeyId") and not found.get("kmsKeyId"):
        logs.associate_kms_key(logGroupName=name, kmsKeyId=wanted["KmsKeyId"])
