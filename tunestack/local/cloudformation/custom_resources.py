"""Custom resources of our stacks. Their functions can't run here, so each is stood in for by what it does."""

import json
from typing import Any

from tunestack.local.emulator.s3 import empty_bucket

Properties = dict[str, Any]


def custom_resource_handlers() -> dict[str, dict[str, Any]]:
    """The handlers by exact type; any other custom resource is answered by its own function, or fails."""
    return {
        "Custom::S3AutoDeleteObjects": {
            "create": lambda logical_id, properties, stack: (f"auto-delete-{properties['BucketName']}", {}),
            "update": lambda physical_id, old, new, stack: (physical_id, {}),
            "delete": lambda physical_id, properties: _empty_if_asked_to(properties["BucketName"]),
        },
        "Custom::VpcRestrictDefaultSG": {
            "create": lambda logical_id, properties, stack: _closed(properties),
            "update": lambda physical_id, old, new, stack: _closed(new),
            "delete": lambda physical_id, properties: None,
        },
        # No image is built on deploy here: `tunestack local build-images` does, where a Docker daemon runs.
        "Custom::ImageBuild": {
            "create": lambda logical_id, properties, stack: (_image_of(properties), {}),
            "update": lambda physical_id, old, new, stack: (_image_of(new), {}),
            "delete": lambda physical_id, properties: None,
        },
    }


def _empty_if_asked_to(bucket: str) -> None:
    """Empty a bucket that has the tag still: one whose data is kept from now on has lost it in the same update."""
    from ministack.services import s3

    if s3._bucket_tags.get(bucket, {}).get("aws-cdk:auto-delete-objects") == "true":
        empty_bucket(bucket)


def _closed(properties: Properties) -> tuple[str, Properties]:
    """Take every rule away from a VPC's default security group."""
    from ministack.services import ec2

    name: str = properties["DefaultSecurityGroupId"]
    ec2._security_groups[name] |= {"IpPermissions": [], "IpPermissionsEgress": []}
    return f"closed-{name}", {}


def fail_unanswered_ones_soon() -> None:
    """Wait a minute, not an hour, for a custom resource whose function never answers."""
    from ministack.services.cloudformation import custom_resource, provisioners

    invoke = custom_resource.invoke_custom_resource

    def invoke_soon(request_type: str, logical_id: str, properties: Properties, *rest: Any, **options: Any) -> Any:
        return invoke(request_type, logical_id, {"ServiceTimeout": "60", **properties}, *rest, **options)

    custom_resource.invoke_custom_resource = invoke_soon
    if hasattr(provisioners, "invoke_custom_resource"):
        provisioners.invoke_custom_resource = invoke_soon


def _image_of(properties: Properties) -> str:
    """The image's name, under which its repository knows a manifest: it has a digest, and can be looked up."""
    from ministack.services import ecr

    repository, tag = properties["RepositoryName"], properties["ImageTag"]
    name = f"{repository}:{tag}"
    ecr._put_image({"repositoryName": repository, "imageTag": tag, "imageManifest": json.dumps({"image": name})})
    return name
