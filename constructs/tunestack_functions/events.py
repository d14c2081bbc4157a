"""What the functions are called with: the members of each event that they read, as AWS's documentation has them."""

from typing import Any, Literal, TypedDict


class CustomResourceRequest(TypedDict):
    """CloudFormation's request of a custom resource; its values arrive as text."""

    RequestType: Literal["Create", "Update", "Delete"]
    ResponseURL: str
    StackId: str
    RequestId: str
    LogicalResourceId: str
    ResourceProperties: dict[str, Any]


class BuildEnded(TypedDict):
    """CodeBuild's "Build State Change", of a build that has ended."""

    detail: "BuildDetail"


# Members with hyphens can't be written as a class.
BuildDetail = TypedDict(
    "BuildDetail", {"build-id": str, "build-status": str, "additional-information": dict[str, Any]}
)  # fmt: skip


class QueueEvent(TypedDict):
    """What Lambda takes off a queue of SQS."""

    Records: list["QueueMessage"]


class QueueMessage(TypedDict):
    """One message; its body is an event of EventBridge, as JSON."""

    body: str


class VersionDecided(TypedDict):
    """EventBridge's event of a model package whose approval has changed."""

    detail: "VersionDetail"


class VersionDetail(TypedDict):
    """Which one it is."""

    ModelPackageArn: str
