"""Copies between buckets, made by S3 itself: nothing passes through here, and what is there already isn't copied."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

# What is copied in one request (S3 takes 5 GiB, and minutes for it), and what a part is: 5 TB need parts of 525 MB.
MOST_BYTES_AT_ONCE = 1024**3
PART_BYTES = 1024**3
PARTS_AT_ONCE = 16
# The client's operations here, and what IAM wants for each. What they are allowed on is said by place
# (`tunestack/layout.py`), on both sides.
OPERATIONS = {
    "list_objects_v2": ("s3:ListBucket",),
    "head_object": ("s3:GetObject", "s3:ListBucket"),
    "copy_object": ("s3:GetObject", "s3:PutObject", "kms:Decrypt", "kms:GenerateDataKey"),
    "upload_part_copy": ("s3:GetObject", "s3:PutObject", "kms:Decrypt", "kms:GenerateDataKey"),
    "create_multipart_upload": ("s3:PutObject", "kms:GenerateDataKey"),
    "complete_multipart_upload": ("s3:PutObject", "kms:Decrypt"),
    "list_multipart_uploads": ("s3:ListBucketMultipartUploads",),
    "list_parts": ("s3:ListMultipartUploadParts",),
}
# A bucket, and a key or a prefix in it.
Place = tuple[str, str]
# Kept with the copy: whether it is one of the object as it is now.
ORIGIN = "origin-etag"


class OutOfTimeError(Exception):
    """The time is up; the same call again goes on where this one ended."""


def copy_prefix(s3: Any, source: Place, target: Place, *, key_arn: str, time_left: Callable[[], float]) -> None:
    """Copy every object under a prefix; `source` and `target` are (bucket, prefix).

    Raises:
        FileNotFoundError: nothing lies there.
        OutOfTimeError: not all is copied yet.
    """
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=source[0], Prefix=source[1])
    keys = [item["Key"] for page in pages for item in page.get("Contents", [])]
    if not keys:
        raise FileNotFoundError(f"nothing lies under s3://{source[0]}/{source[1]}")
    for key in keys:
        to = target[1] + key.removeprefix(source[1])
        copy_object(s3, (source[0], key), (target[0], to), key_arn=key_arn, time_left=time_left)


def copy_object(s3: Any, source: Place, target: Place, *, key_arn: str, time_left: Callable[[], float]) -> None:
    """Copy one object, unless it was; `source` and `target` are (bucket, key), `time_left` says seconds.

    Raises:
        OutOfTimeError: it isn't copied yet.
    """
    if time_left() <= 0:
        raise OutOfTimeError(f"s3://{source[0]}/{source[1]} waits for the next try")
    found = s3.head_object(Bucket=source[0], Key=source[1])
    if is_copied(s3, target, found["ETag"]):
        return
    place = {"Bucket": target[0], "Key": target[1]}
    described = {
        "ServerSideEncryption": "aws:kms",
        "SSEKMSKeyId": key_arn,
        "Metadata": {ORIGIN: found["ETag"].strip('"')},
        "ContentType": found.get("ContentType", "binary/octet-stream"),
    }
    origin = {"CopySource": {"Bucket": source[0], "Key": source[1]}, "CopySourceIfMatch": found["ETag"]}
    if found["ContentLength"] <= MOST_BYTES_AT_ONCE:
        s3.copy_object(**place, **origin, **described, MetadataDirective="REPLACE", TaggingDirective="REPLACE")
        return
    _copy_in_parts(s3, place, origin, described, found["ContentLength"], time_left)


def is_copied(s3: Any, target: Place, etag: str) -> bool:
    """Whether the copy is there, of the object as it is now."""
    try:
        found = s3.head_object(Bucket=target[0], Key=target[1])
    except s3.exceptions.ClientError as error:
        # To who may list prefixes alone, S3 may say "forbidden" of what isn't there: the copy itself will tell.
        if error.response["Error"]["Code"] not in ("403", "404", "NoSuchKey", "NotFound"):
            raise
        return False
    return bool(found["Metadata"].get(ORIGIN) == etag.strip('"'))


def _copy_in_parts(
    s3: Any,
    place: dict[str, Any],
    origin: dict[str, Any],
    described: dict[str, Any],
    size: int,
    time_left: Callable[[], float],
) -> None:
    upload = {**place, "UploadId": _upload_of(s3, place, described)}
    done: dict[int, str | None] = {part["PartNumber"]: part["ETag"] for part in _parts(s3, upload)}
    starts = {number: (number - 1) * PART_BYTES for number in range(1, -(-size // PART_BYTES) + 1)}

    def copy(number: int) -> str | None:
        if time_left() <= 0:
            return None
        last = min(starts[number] + PART_BYTES, size) - 1
        part = s3.upload_part_copy(
            **upload, **origin, PartNumber=number, CopySourceRange=f"bytes={starts[number]}-{last}"
        )
        return str(part["CopyPartResult"]["ETag"])

    missing = [number for number in starts if number not in done]
    with ThreadPoolExecutor(PARTS_AT_ONCE) as pool:
        done.update(zip(missing, pool.map(copy, missing), strict=True))
    if waiting := [number for number, etag in done.items() if etag is None]:
        raise OutOfTimeError(f"{len(waiting)} of {len(starts)} parts of {place['Key']} wait for the next try")
    parts = [{"PartNumber": number, "ETag": done[number]} for number in sorted(done)]
    s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})


def _upload_of(s3: Any, place: dict[str, Any], described: dict[str, Any]) -> str:
    """An upload that an earlier try began of this very object, or a new one."""
    pages = s3.get_paginator("list_multipart_uploads").paginate(Bucket=place["Bucket"], Prefix=place["Key"])
    begun = [item for page in pages for item in page.get("Uploads", []) if item["Key"] == place["Key"]]
    if begun:
        return str(max(begun, key=lambda item: item["Initiated"])["UploadId"])
    return str(s3.create_multipart_upload(**place, **described)["UploadId"])


def _parts(s3: Any, upload: dict[str, Any]) -> list[dict[str, Any]]:
    pages = s3.get_paginator("list_parts").paginate(**upload)
    return [part for page in pages for part in page.get("Parts", [])]
