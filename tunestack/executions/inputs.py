"""Whether what a run reads has been uploaded: known before the first job is paid for."""

from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from tunestack.aws import Aws
from tunestack.jobs import URI_PARAMETERS
from tunestack.layout import S3Uri


def missing_inputs(aws: Aws, values: Mapping[str, Any]) -> Iterator[str]:
    """A line for each input that is empty. Where the caller may not list, nothing is known and nothing is said."""
    for parameter in URI_PARAMETERS:
        uri = values[parameter.name]
        if not is_there(aws, uri):
            option = "" if aws.is_local else f" --env {aws.settings.name}"
            yield f"{parameter.name}: nothing lies under {uri}; upload it with `{parameter.uploaded_by}{option}`"


def is_there(aws: Aws, uri: str) -> bool:
    """Whether anything lies under a URI; where the caller may not list, it is taken to."""
    bucket, prefix = S3Uri.parse(uri)
    try:
        return bool(aws.s3.list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=1).get("KeyCount"))
    except ClientError as error:
        if error.response["Error"]["Code"] in ("NoSuchBucket", "404"):
            return False
        if error.response["Error"]["Code"] in ("AccessDenied", "403"):
            return True
        raise
