"""Files to S3: encrypted, once for each content."""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from tunestack.errors import UserError

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


class UploadError(UserError):
    """What can't be uploaded; the text says what is wrong, where, and what would be right."""


def upload_once(s3: "S3Client", file: Path, *, bucket: str, key: str, kms_key: str) -> bool:
    """Upload a file unless the object there has its content already; whether it was uploaded."""
    digest = content_hash(file)
    if stored_hash(s3, bucket=bucket, key=key) == digest:
        return False
    s3.upload_file(
        str(file),
        bucket,
        key,
        ExtraArgs={"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key, "Metadata": {"sha256": digest}},
    )
    return True


def stored_hash(s3: "S3Client", *, bucket: str, key: str) -> str | None:
    """The SHA-256 of an object that was uploaded here, or None where there is none."""
    try:
        return s3.head_object(Bucket=bucket, Key=key).get("Metadata", {}).get("sha256")
    except s3.exceptions.ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] != 404:
            raise
        return None


def content_hash(file: Path) -> str:
    """SHA-256 of a file's content."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
