"""Start an image's build when its tag isn't there yet, and tell CloudFormation how it ended.

CloudFormation's request starts the build; the event of its end, however it ended, answers the request. Between the
two the request travels with the build, encrypted: whoever may look at builds must not be able to answer it.
"""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

from tunestack_functions.answer import SENT_BACK, answer
from tunestack_functions.aws import client
from tunestack_functions.declared import Call, FunctionSettings, Here
from tunestack_functions.events import BuildDetail, BuildEnded, CustomResourceRequest

REQUEST_VARIABLE = "REQUEST"


@dataclass(frozen=True, kw_only=True)
class Settings(FunctionSettings):
    """The build's project, the repository that it fills, and the key that seals a request."""

    project_name: str
    repository_name: str
    key_arn: str


def calls(settings: Settings, here: Here) -> Iterator[Call]:
    """Every call of AWS that the function makes."""
    project = here.arn("codebuild", f"project/{settings.project_name}")
    for operation in ("start_build", "batch_get_builds"):
        yield Call(client="codebuild", operation=operation, on=(project,))
    repository = here.arn("ecr", f"repository/{settings.repository_name}")
    yield Call(client="ecr", operation="describe_images", on=(repository,))
    for operation in ("encrypt", "decrypt"):
        yield Call(client="kms", operation=operation, on=(settings.key_arn,))


def handler(event: BuildEnded | CustomResourceRequest, context: object) -> None:
    """A custom resource's request (its property: `ImageTag`), or the event of a build's end."""
    settings = Settings.read()
    if "detail" in event:
        finished(settings, cast(BuildEnded, event)["detail"])
    else:
        requested(settings, event)


def requested(settings: Settings, request: CustomResourceRequest) -> None:
    """Build, unless there is nothing to build; whatever goes wrong, CloudFormation hears of it."""
    tag = str(request["ResourceProperties"]["ImageTag"])
    physical_id = f"{settings.repository_name}:{tag}"
    try:
        if request["RequestType"] == "Delete" or image_exists(settings.repository_name, tag):
            answer(request, physical_id)
        else:
            start(settings, request, physical_id)
    except Exception as error:
        answer(request, physical_id, failure=f"the build could not be started: {error}")


def start(settings: Settings, request: CustomResourceRequest, physical_id: str) -> None:
    """Start the build, with the request in it."""
    kept = {
        **{key: value for key, value in request.items() if key in (*SENT_BACK, "ResponseURL")},
        "PhysicalResourceId": physical_id,
    }
    sealed = client("kms").encrypt(KeyId=settings.key_arn, Plaintext=json.dumps(kept).encode())
    variable = {
        "name": REQUEST_VARIABLE,
        "value": base64.b64encode(sealed["CiphertextBlob"]).decode(),
        "type": "PLAINTEXT",
    }
    client("codebuild").start_build(projectName=settings.project_name, environmentVariablesOverride=[variable])


def finished(settings: Settings, detail: BuildDetail) -> None:
    """Answer the request that a build was started for; one that somebody started by hand has none."""
    build = detail["additional-information"]
    sealed = sealed_request(detail)
    if sealed is None:
        return
    opened = client("kms").decrypt(KeyId=settings.key_arn, CiphertextBlob=base64.b64decode(sealed))
    request = json.loads(opened["Plaintext"])
    failure = None if detail["build-status"] == "SUCCEEDED" else reason(detail["build-status"], build)
    answer(request, request["PhysicalResourceId"], failure=failure)


def sealed_request(detail: BuildDetail) -> str | None:
    """The sealed request of a build: from the event, or from the build where the event leaves it out."""
    variables = detail["additional-information"]["environment"].get("environment-variables", [])
    if not any(item["name"] == REQUEST_VARIABLE for item in variables):
        builds = client("codebuild").batch_get_builds(ids=[detail["build-id"]])["builds"]
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


def image_exists(repository_name: str, tag: str) -> bool:
    """Whether a repository has an image of that tag."""
    ecr = client("ecr")
    try:
        return bool(ecr.describe_images(repositoryName=repository_name, imageIds=[{"imageTag": tag}])["imageDetails"])
    except ecr.exceptions.ImageNotFoundException:
        return False
