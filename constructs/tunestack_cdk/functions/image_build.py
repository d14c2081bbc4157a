"""Start an image's build when its tag isn't there yet, and tell CloudFormation how it ended.

CloudFormation's request starts the build; the event of its end, however it ended, answers the request. Between the
two the request travels with the build, encrypted: whoever may look at builds must not be able to answer it.
"""

import base64
import json
import os
from typing import Any

import boto3
from answer import SENT_BACK, answer

REQUEST_VARIABLE = "REQUEST"


def handler(event: dict[str, Any], context: object) -> None:
    """A custom resource's request, or the event of a build's end."""
    if "detail" in event:
        finished(event["detail"])
    else:
        requested(event)


def requested(request: dict[str, Any]) -> None:
    """Build, unless there is nothing to build; whatever goes wrong, CloudFormation hears of it."""
    wanted = request["ResourceProperties"]
    physical_id = f"{wanted['RepositoryName']}:{wanted['ImageTag']}"
    try:
        if request["RequestType"] == "Delete" or image_exists(wanted):
            answer(request, physical_id)
        else:
            start(request, wanted, physical_id)
    except Exception as error:
        answer(request, physical_id, failure=f"the build could not be started: {error}")


def start(request: dict[str, Any], wanted: dict[str, Any], physical_id: str) -> None:
    kept = {key: request[key] for key in (*SENT_BACK, "ResponseURL")} | {"PhysicalResourceId": physical_id}
    sealed = boto3.client("kms").encrypt(KeyId=os.environ["KEY_ARN"], Plaintext=json.dumps(kept).encode())
    variable = {
        "name": REQUEST_VARIABLE,
        "value": base64.b64encode(sealed["CiphertextBlob"]).decode(),
        "type": "PLAINTEXT",
    }
    boto3.client("codebuild").start_build(projectName=wanted["ProjectName"], environmentVariablesOverride=[variable])


def finished(detail: dict[str, Any]) -> None:
    """Answer the request that a build was started for; one that somebody started by hand has none."""
    build = detail["additional-information"]
    sealed = sealed_request(detail)
    if sealed is None:
        return
    opened = boto3.client("kms").decrypt(KeyId=os.environ["KEY_ARN"], CiphertextBlob=base64.b64decode(sealed))
    request = json.loads(opened["Plaintext"])
    failure = None if detail["build-status"] == "SUCCEEDED" else reason(detail["build-status"], build)
    answer(request, request["PhysicalResourceId"], failure=failure)


def sealed_request(detail: dict[str, Any]) -> str | None:
    """The sealed request of a build: from the event, or from the build where the event leaves it out."""
    variables = detail["additional-information"]["environment"].get("environment-variables", [])
    if not any(item["name"] == REQUEST_VARIABLE for item in variables):
        builds = boto3.client("codebuild").batch_get_builds(ids=[detail["build-id"]])["builds"]
        variables = [item for build in builds for item in build["environment"].get("environmentVariables", [])]
    return next((item["value"] for item in variables if item["name"] == REQUEST_VARIABLE), None)


def reason(status: str, build: dict[str, Any]) -> str:
    """What went wrong in which phase, and where the log is."""
    phases = [
        f"{phase['phase-type']}: {' '.join(phase.get('phase-context') or []).strip() or phase['phase-status']}"
        for phase in build.get("phases", [])
        if phase.get("phase-status", "SUCCEEDED") != "SUCCEEDED"
    ]
    return (
        f"the image's build ended {status}; {'; '.join(phases)}; log: {build.get('logs', {}).get('deep-link', 'none')}"
    )


def image_exists(wanted: dict[str, Any]) -> bool:
    ecr = boto3.client("ecr")
    try:
        image = {"imageTag": wanted["ImageTag"]}
        return bool(ecr.describe_images(repositoryName=wanted["RepositoryName"], imageIds=[image])["imageDetails"])
    except ecr.exceptions.ImageNotFoundException:
        return False
