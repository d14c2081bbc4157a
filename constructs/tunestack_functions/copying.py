"""Copies between buckets, made by S3 itself: nothing passes through here, and what is there already isn't copied."""

import hashlib
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
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


class ChangedSinceError(Exception):
    """An object was written after the time at which it had to be what it is."""


class OutOfTimeError(Exception):
    """The time is up; the same call again goes on where this one ended."""


@dataclass(frozen=True, kw_only=True)
class How:
    """How objects are copied: with which key, for how long, and of which time they must be."""

    key_arn: str
    time_left: Callable[[], float]
    """Seconds."""
    unchanged_since: datetime
    """What was written later isn't what was decided on."""


def listed(s3: Any, source: Place) -> list[dict[str, Any]]:
    """The objects under a prefix, as S3 lists them; `source` is (bucket, prefix).

    Raises:
        FileNotFoundError: nothing lies there.
    """
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=source[0], Prefix=source[1])
    found = [item for page in pages for item in page.get("Contents", [])]
    if not found:
        raise FileNotFoundError(f"nothing lies under s3://{source[0]}/{source[1]}")
    return found


def digest(items: Iterable[dict[str, Any]], prefix: str) -> str:
    """What tells two listings under a prefix apart: other names, or another content of one of them."""
    lines = sorted(f"{item['Key'].removeprefix(prefix)} {item['ETag']} {item['Size']}" for item in items)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:32]


def copy_prefix(s3: Any, source: Place, target: Place, how: How) -> None:
    """Copy every object under a prefix; `source` and `target` are (bucket, prefix).

    Raises:
        FileNotFoundError: nothing lies there.
        ChangedSinceError: one of them is of later than it must be.
        OutOfTimeError: not all is copied yet.
    """
    for item in listed(s3, source):
        to = target[1] + item["Key"].removeprefix(source[1])
        copy_object(s3, (source[0], item["Key"]), (target[0], to), how)


def copy_object(s3: Any, source: Place, target: Place, how: How) -> None:
    """Copy one object, unless it was; `source` and `target` are (bucket, key).

    Raises:
        ChangedSinceError: it is of later than it must be.
        OutOfTimeError: it isn't copied yet.
    """
    if how.time_left() <= 0:
        raise OutOfTimeError(f"s3://{source[0]}/{source[1]} waits for the next try")
    found = s3.head_object(Bucket=source[0], Key=source[1])
    if found["LastModified"] > how.unchanged_since:
        raise ChangedSinceError(
            f"s3://{source[0]}/{source[1]} was written at {found['LastModified']:%Y-%m-%d %H:%M:%S}, after "
            f"{how.unchanged_since:%Y-%m-%d %H:%M:%S}"
        )
    if is_copied(s3, target, found["ETag"]):
        return
    place = {"Bucket": target[0], "Key": target[1]}
    described = {
        "ServerSideEncryption": "aws:kms",
        "SSEKMSKeyId": how.key_arn,
        "Metadata": {ORIGIN: found["ETag"].strip('"')},
        "ContentType": found.get("ContentType", "binary/octet-stream"),
    }
    origin = {"CopySource": {"Bucket": source[0], "Key": source[1]}, "CopySourceIfMatch": found["ETag"]}
    if found["ContentLength"] <= MOST_BYTES_AT_ONCE:
        s3.copy_object(**place, **origin, **described, MetadataDirective="REPLACE", TaggingDirective="REPLACE")
        return
    _copy_in_parts(s3, place, origin, described, found["ContentLength"], how.time_left)


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
