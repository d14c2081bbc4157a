"""Whether what a run reads has been uploaded: known before the first job is paid for."""

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from tunestack.aws import Aws
from tunestack.jobs import BASE_MODEL_URI, URI_PARAMETERS
from tunestack.layout import MODEL_CONFIG, S3Uri

_MAY_NOT = ("AccessDenied", "403")


def missing_inputs(aws: Aws, values: Mapping[str, Any], *, given: Collection[str] = ()) -> Iterator[str]:
    """A line for each input that is empty, or that wasn't `given` and has several versions.

    Where the caller may not list, nothing is known and nothing is said.
    """
    option = "" if aws.is_local else f" --env {aws.settings.name}"
    for parameter in URI_PARAMETERS:
        uri = values[parameter.name]
        if not (has_model(aws, uri) if parameter == BASE_MODEL_URI else is_there(aws, uri)):
            yield f"{parameter.name}: nothing lies under {uri}; upload it with `{parameter.uploaded_by}{option}`"
        elif parameter != BASE_MODEL_URI and parameter.name not in given:
            yield from _several_versions(aws, parameter.name, uri)


def _several_versions(aws: Aws, name: str, uri: str) -> Iterator[str]:
    """All versions of a data set together would be what nobody asked for: rows that were taken out would be back."""
    bucket, prefix = S3Uri.parse(uri)
    newest: dict[str, datetime] = {}
    try:
        for page in aws.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            for item in page.get("Contents", []):
                version = item["Key"].removeprefix(prefix).partition("/")[0]
                newest[version] = max(newest.get(version, item["LastModified"]), item["LastModified"])
    except ClientError as error:
        if error.response["Error"]["Code"] in _MAY_NOT:
            return
        raise
    if len(newest) > 1:
        latest = max(newest, key=lambda version: newest[version])
        yield f"{name}: {len(newest)} versions lie under {uri}; the newest: --param {name}={uri}{latest}/"


def has_model(aws: Aws, uri: str) -> bool:
    """Whether a whole base model lies under a URI: its upload came to its end."""
    return is_there(aws, f"{uri}/{MODEL_CONFIG}")


def is_there(aws: Aws, uri: str) -> bool:
    """Whether anything lies under a URI; where the caller may not list, it is taken to."""
    bucket, prefix = S3Uri.parse(uri)
    try:
        return bool(aws.s3.list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=1).get("KeyCount"))
    except ClientError as error:
        if error.response["Error"]["Code"] in ("NoSuchBucket", "404"):
            return False
        if error.response["Error"]["Code"] in _MAY_NOT:
            return True
        raise
