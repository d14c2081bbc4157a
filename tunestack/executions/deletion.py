"""Delete what an execution left in S3: by place, with how much that frees."""

from dataclasses import dataclass

from tunestack.aws import Aws
from tunestack.errors import UserError
from tunestack.executions.describe import ENDED, describe
from tunestack.executions.versions import list_versions, refuse_where_data_is_kept
from tunestack.layout import CHECKPOINTS, PLACES_FILLED_BY_JOBS, S3Uri

# Of one DeleteObjects request.
AT_ONCE = 1000


@dataclass(frozen=True, kw_only=True)
class Files:
    """The files of an execution under one place, in all their versions."""

    uri: str
    objects: tuple[tuple[str, str], ...]
    bytes: int


def files_of(aws: Aws, execution: str) -> tuple[str, list[Files]]:
    """An execution's id, and what lies in S3 of it; its checkpoints may be another's too, and aren't counted.

    Raises:
        UserError: the environment keeps its data, the execution runs, or a registered version is served from it.
    """
    refuse_where_data_is_kept(aws, "the files")
    view = describe(aws, execution)
    if view.status not in ENDED:
        raise UserError(f"execution {view.id} is {view.status}: `tunestack stop {view.id}` ends it")
    for version in list_versions(aws):
        if version.metadata.get("pipeline_execution_id") == view.id:
            raise UserError(
                f"version {version.number} is served from execution {view.id}: "
                f"`tunestack models delete {version.number}` deletes the version first"
            )
    found = []
    for place in PLACES_FILLED_BY_JOBS:
        if place != CHECKPOINTS:
            bucket, prefix = aws.bucket(place.bucket), place.key(view.id, "")
            objects, size = _versions(aws, bucket, prefix)
            if objects:
                found.append(Files(uri=str(S3Uri(bucket=bucket, key=prefix)), objects=objects, bytes=size))
    return view.id, found


def delete_files(aws: Aws, files: Files) -> None:
    """Delete them for good, older versions included.

    Raises:
        UserError: S3 refuses some of them.
    """
    bucket, _ = S3Uri.parse(files.uri)
    for start in range(0, len(files.objects), AT_ONCE):
        batch = [{"Key": key, "VersionId": version} for key, version in files.objects[start : start + AT_ONCE]]
        answer = aws.s3.delete_objects(Bucket=bucket, Delete={"Objects": batch, "Quiet": True})  # type: ignore[typeddict-item]
        if errors := answer.get("Errors"):
            raise UserError(f"{len(errors)} files under {files.uri} weren't deleted: {errors[0].get('Message')}")


def _versions(aws: Aws, bucket: str, prefix: str) -> tuple[tuple[tuple[str, str], ...], int]:
    objects, size = [], 0
    for page in aws.s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix):
        for item in page.get("Versions", []):
            objects.append((item["Key"], item["VersionId"]))
            size += item["Size"]
        objects += [(item["Key"], item["VersionId"]) for item in page.get("DeleteMarkers", [])]
    return tuple(objects), size
