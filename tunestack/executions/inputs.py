"""Whether what a run reads has been staged: known before the first job is paid for."""

from collections.abc import Iterator, Mapping

from botocore.exceptions import ClientError

from tunestack.aws import Aws

# Each parameter that names a place to read from, and the command that puts something there.
STAGED_BY = {
    "BaseModelUri": "tunestack models add",
    "DataUri": "tunestack data add FILE",
    "TransformInputUri": "tunestack data add FILE --batch-input",
}


def missing_inputs(aws: Aws, values: Mapping[str, str]) -> Iterator[str]:
    """A line for each input that is empty. Where the caller may not list, nothing is known and nothing is said."""
    for name, command in STAGED_BY.items():
        if not _is_there(aws, values[name]):
            option = "" if aws.settings.name == "local" else f" --env {aws.settings.name}"
            yield f"{name}: nothing lies under {values[name]}; stage it with `{command}{option}`"


def _is_there(aws: Aws, uri: str) -> bool:
    bucket, _, prefix = uri.removeprefix("s3://").partition("/")
    try:
        return bool(aws.s3.list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=1).get("KeyCount"))
    except ClientError as error:
        if error.response["Error"]["Code"] in ("NoSuchBucket", "404"):
            return False
        if error.response["Error"]["Code"] in ("AccessDenied", "403"):
            return True
        raise
