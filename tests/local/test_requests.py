"""The local AWS refuses what the service refuses once a step's request is resolved, with its error code."""

from typing import Any

import pytest

from tunestack.local.emulator.requests import check_request
from tunestack.local.runner.errors import ApiError

VERSION: dict[str, Any] = {
    "ModelPackageGroupName": "models",
    "InferenceSpecification": {
        "Containers": [
            {"Image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/kit:1", "ModelDataUrl": "s3://b/model.tar.gz"}
        ],
        "SupportedContentTypes": ["application/jsonlines"],
        "SupportedResponseMIMETypes": ["application/jsonlines"],
    },
}


def test_a_version_as_ours_is_accepted() -> None:
    check_request(
        "CreateModelPackage", {**VERSION, "CustomerMetadataProperties": {"evaluation": "a.b 0.69 = 2.7 / 3.8 - c"}}
    )


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"CustomerMetadataProperties": {"evaluation": "0.69 (base 3.8, tuned 2.7)"}}, "evaluation: must match"),
        ({"CustomerMetadataProperties": {"base_model_uri": "s3://" + "a" * 260}}, "at most 256 characters"),
        ({"ModelApprovalStatus": "Aproved"}, "did you mean 'Approved'"),
        ({"ModelPackageGrupName": "models"}, "unknown member"),
    ],
)
def test_what_an_expression_hid_at_synth_is_refused_when_it_is_resolved(changed: dict[str, Any], problem: str) -> None:
    with pytest.raises(ApiError, match=problem) as refused:
        check_request("CreateModelPackage", {**VERSION, **changed})
    assert refused.value.code == "ValidationException"
