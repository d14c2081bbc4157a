"""What a call of the SageMaker API must be allowed: the action on its resource, and what comes with it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

SAGEMAKER = "sagemaker.amazonaws.com"
Request = Mapping[str, Any]
# How a call's name ends, the longer of two endings first, and what the request and the service's ARNs call it
# (Service Authorization Reference, "Actions, resources, and condition keys for Amazon SageMaker AI").
_RESOURCES = {
    "ModelPackageGroupPolicy": ("ModelPackageGroup", "model-package-group"),
    "ModelPackageGroup": ("ModelPackageGroup", "model-package-group"),
    "ModelPackage": ("ModelPackage", "model-package"),
    "ProcessingJob": ("ProcessingJob", "processing-job"),
    "TrainingJob": ("TrainingJob", "training-job"),
    "TransformJob": ("TransformJob", "transform-job"),
    "StartPipelineExecution": ("Pipeline", "pipeline"),
    "ForExecution": ("PipelineExecution", "pipeline/execution"),
    "PipelineExecution": ("PipelineExecution", "pipeline/execution"),
    "PipelineExecutionSteps": ("PipelineExecution", "pipeline/execution"),
    "PipelineExecutions": ("Pipeline", "pipeline"),
    "Pipeline": ("Pipeline", "pipeline"),
    "Model": ("Model", "model"),
}
# Where a request names the role that the service is handed.
_ROLES = ("RoleArn", "ExecutionRoleArn")


@dataclass(frozen=True, kw_only=True)
class Needed:
    """One thing that the caller must be allowed."""

    action: str
    resource: str
    context: Mapping[str, Any] = field(default_factory=dict)


def needed_by(action: str, request: Request, *, account: str, region: str) -> Iterator[Needed]:
    """Everything that a call's caller must be allowed."""
    resources = list(_resources(action, request, f"arn:aws:sagemaker:{region}:{account}"))
    context = _of_version(request) if action.endswith("ModelPackage") else {}
    for resource in resources:
        yield Needed(action=f"sagemaker:{action}", resource=resource, context=context)
    if action.startswith("Create") and request.get("Tags"):
        yield Needed(action="sagemaker:AddTags", resource=resources[0])
    for name in _ROLES:
        if role := request.get(name):
            yield Needed(action="iam:PassRole", resource=role, context={"iam:PassedToService": SAGEMAKER})
    if key := volume_key(request):
        yield from volume_encryption(key)


def _of_version(request: Request) -> dict[str, Any]:
    """The condition keys of what a request says of a version."""
    given = {f"sagemaker:CustomerMetadataProperties/{key}": value for key, value in metadata_of(request).items()}
    for key, value in (
        ("sagemaker:ModelApprovalStatus", request.get("ModelApprovalStatus")),
        ("sagemaker:CustomerMetadataPropertiesToRemove", request.get("CustomerMetadataPropertiesToRemove")),
        ("sagemaker:ModelLifeCycle:Stage", request.get("ModelLifeCycle", {}).get("Stage")),
    ):
        if value:
            given[key] = value
    return given


def metadata_of(request: Request) -> Mapping[str, str]:
    """A version's own metadata, as it is registered or changed."""
    found: Mapping[str, str] = request.get("CustomerMetadataProperties") or {}
    return found


def volume_key(request: Request) -> str | None:
    """The key of a job's volume, or None where it has none."""
    cluster = (
        request.get("ResourceConfig")
        or request.get("TransformResources")
        or request.get("ProcessingResources", {}).get("ClusterConfig")
        or {}
    )
    found: str | None = cluster.get("VolumeKmsKeyId")
    return found


def volume_encryption(key: str) -> Iterator[Needed]:
    """What it takes to have EBS encrypt a volume: a grant, made in the caller's name."""
    yield Needed(action="kms:DescribeKey", resource=key)
    yield Needed(action="kms:CreateGrant", resource=key, context={"kms:GrantIsForAWSResource": "true"})


def _resources(action: str, request: Request, prefix: str) -> Iterator[str]:
    if action in ("CreateModelPackage", "ListModelPackages") and "ModelPackageGroupName" in request:
        group = str(request["ModelPackageGroupName"]).rpartition("/")[2]
        # A version's number is given when it is made; which of both a list is asked for isn't documented.
        yield f"{prefix}:model-package/{group}/*"
        yield f"{prefix}:model-package-group/{group}"
        return
    noun = next((noun for noun in _RESOURCES if action.endswith(noun)), None)
    if noun is None:
        yield "*"
        return
    member, kind = _RESOURCES[noun]
    named = request.get(f"{member}Arn") or request.get(f"{member}Name")
    if named is None:
        yield "*"
    else:
        yield named if str(named).startswith("arn:") else f"{prefix}:{kind}/{named}".lower()
