"""ImageRepository: tags that never move, scanned, encrypted, old images deleted."""

from typing import Any

import pytest
from aws_cdk import Stack
from aws_cdk import aws_kms as kms
from aws_cdk.assertions import Match
from tunestack_cdk.image_repository import ImageRepository


@pytest.mark.parametrize(("delete", "policy"), [(False, "RetainExceptOnCreate"), (True, "Delete")])
def test_tags_never_move_and_images_are_scanned_encrypted_and_kept(
    delete: bool, policy: str, stack: Stack, key: kms.Key, template: Any
) -> None:
    ImageRepository(stack, "Images", repository_name="kit", key=key, keep_last=3, delete_with_stack=delete)
    template().has_resource(
        "AWS::ECR::Repository",
        {
            "Properties": {
                "ImageTagMutability": "IMMUTABLE",
                "ImageScanningConfiguration": {"ScanOnPush": True},
                "EncryptionConfiguration": {"EncryptionType": "KMS", "KmsKey": Match.any_value()},
                "LifecyclePolicy": {"LifecyclePolicyText": Match.string_like_regexp('"countNumber":3')},
            },
            "DeletionPolicy": policy,
        },
    )


def test_a_registered_version_keeps_its_image(stack: Stack, key: kms.Key, template: Any) -> None:
    ImageRepository(stack, "Images", repository_name="kit", key=key, keep_last=None, delete_with_stack=False)
    template().has_resource_properties("AWS::ECR::Repository", {"LifecyclePolicy": Match.absent()})
