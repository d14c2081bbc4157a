"""Files to S3: encrypted, once for each content."""

import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING

from tunestack.errors import UserError

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

_FOLDER = re.compile(r"[A-Za-z0-9][\w.\-]{0,99}", re.ASCII)


class UploadError(UserError):
    """What can't be uploaded; the text says what is wrong, where, and what would be right."""


def check_name(name: str, *, parts: int = 1) -> None:
    """See that what is uploaded stays under its prefix: a name is a folder there, or two of them.

    Raises:
        UploadError: it would lie elsewhere.
    """
    folders = name.split("/")
    if len(folders) > parts or not all(_FOLDER.fullmatch(folder) for folder in folders):
        slash = ", and has one / at the most" if parts > 1 else ""
        raise UploadError(
            f"a name is of at most 100 letters, digits, '.', '_' and '-', begins with a letter or digit{slash}; "
            f"got {name!r}"
        )


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
