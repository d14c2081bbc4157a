"""Start an image's build when its tag isn't there yet; the build itself answers CloudFormation.

The build gets the address that CloudFormation waits at, and reports its own success or failure there, so
that a build may take longer than a function may run, and a failed one fails the deployment.
"""

import json
import urllib.request

import boto3


def handler(event, context):
    wanted = event["ResourceProperties"]
    physical_id = f"{wanted['RepositoryName']}:{wanted['ImageTag']}"
    try:
        if event["RequestType"] == "Delete" or _image_exists(wanted):
            _answer(event, physical_id, "SUCCESS", "nothing to build")
            return
        boto3.client("codebuild").start_build(
            projectName=wanted["ProjectName"],
            environmentVariablesOverride=[
                {"name": name, "value": value, "type": "PLAINTEXT"}
                for name, value in (
                    ("IMAGE_TAG", wanted["ImageTag"]),
                    ("ANSWER_URL", event["ResponseURL"]),
                    ("STACK_ID", event["StackId"]),
                    ("REQUEST_ID", event["RequestId"]),
                    ("LOGICAL_RESOURCE_ID", event["LogicalResourceId"]),
                    ("PHYSICAL_RESOURCE_ID", physical_id),
                )
            ],
        )
    except Exception as error:  # Whatever it is, CloudFormation must hear of it, or it waits for an hour.
        _answer(event, physical_id, "FAILED", f"the build could not be started: {error}")


def _image_exists(wanted):
    ecr = boto3.client("ecr")
    try:
        image = {"imageTag": wanted["ImageTag"]}
        return bool(ecr.describe_images(repositoryName=wanted["RepositoryName"], imageIds=[image])["imageDetails"])
    except ecr.exceptions.ImageNotFoundException:
        return False


def _answer(event, physical_id, status, reason):
    keys = ("StackId", "RequestId", "LogicalResourceId")
    body = {key: event[key] for key in keys} | {
        "PhysicalResourceId": physical_id,
        "Status": status,
        "Reason": reason,
    }
    request = urllib.request.Request(
        event["ResponseURL"], data=json.dumps(body).encode(), method="PUT", headers={"Content-Type": ""}
    )
    urllib.request.urlopen(request, timeout=30).close()
