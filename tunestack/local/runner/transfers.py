"""Between S3 and a job's folder: inputs before it, outputs after it, checkpoints all along."""

import threading
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError

from tunestack.layout import S3Uri
from tunestack.local.runner.errors import JobFailure

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

SYNC_EVERY_SECONDS = 2.0
# After the training: as often is it tried to upload what is left.
LAST_TRIES = 5


def list_keys(s3: "S3Client", uri: str) -> list[str]:
    """The keys under a prefix: the object of that very name, or what lies under it as a folder."""
    bucket, prefix = S3Uri.parse(uri)
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    keys = [item["Key"] for page in pages for item in page.get("Contents", [])]
    return [key for key in keys if not key.endswith("/")]


def download_prefix(s3: "S3Client", uri: str, folder: Path, *, required: bool = True) -> list[Path]:
    """Copy what lies under an S3 prefix into a folder, keeping the names below the prefix.

    Raises:
        JobFailure: nothing lies there, or the bucket doesn't exist, and it is required.
    """
    bucket, prefix = S3Uri.parse(uri)
    try:
        keys = list_keys(s3, uri)
    except s3.exceptions.NoSuchBucket:
        raise JobFailure(f"ClientError: Data download failed: no bucket {bucket!r} ({uri})") from None
    if not keys and required:
        raise JobFailure(f"ClientError: Data download failed: No S3 objects found under {uri}")
    base = prefix if prefix.endswith("/") or not prefix else f"{prefix}/"
    files = []
    for key in keys:
        file = folder / (key.removeprefix(base) if key.startswith(base) else Path(key).name)
        file.parent.mkdir(parents=True, exist_ok=True)
        s3.download_file(bucket, key, str(file))
        files.append(file)
    return files


def upload_folder(s3: "S3Client", folder: Path, uri: str, *, kms_key: str | None) -> None:
    """Copy every file of a folder to an S3 prefix, encrypted with the key."""
    bucket, prefix = S3Uri.parse(uri)
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        key = f"{prefix.rstrip('/')}/{file.relative_to(folder).as_posix()}"
        s3.upload_file(str(file), bucket, key, ExtraArgs=encryption(kms_key))


def encryption(kms_key: str | None) -> dict[str, str]:
    """The arguments that encrypt an upload with a key."""
    return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key} if kms_key else {}


class CheckpointSync:
    """Keeps a folder and an S3 prefix the same while a training runs; deletions are carried over, too.

    Raises:
        JobFailure: at the end, what was left could not be uploaded.
    """

    def __init__(
        self, s3: "S3Client", folder: Path, uri: str, *, kms_key: str | None, on_problem: Callable[[str], None]
    ) -> None:
        self._s3, self._folder, self._uri, self._kms_key = s3, folder, uri, kms_key
        self._on_problem = on_problem
        self._uploaded: dict[str, tuple[int, int]] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "CheckpointSync":
        self._folder.mkdir(parents=True, exist_ok=True)
        download_prefix(self._s3, self._uri, self._folder, required=False)
        self._uploaded = self._scan()
        self._thread.start()
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        for _attempt in range(LAST_TRIES):
            if self._try():
                return
            time.sleep(SYNC_EVERY_SECONDS)
        if kind is None:
            raise JobFailure(
                f"ClientError: checkpoints could not be uploaded to {self._uri}; the job's log has the reason"
            )

    def _run(self) -> None:
        while not self._stop.wait(SYNC_EVERY_SECONDS):
            self._try()

    def _try(self) -> bool:
        """Whether both are the same now; what failed is said, and tried again the next time."""
        try:
            self._sync()
        except (Boto3Error, BotoCoreError, ClientError, OSError) as error:
            self._on_problem(f"[tunestack] checkpoints are not uploaded, and tried again: {error}")
            return False
        return True

    def _scan(self) -> dict[str, tuple[int, int]]:
        found = {}
        for file in self._folder.rglob("*"):
            try:
                if file.is_file():
                    status = file.stat()
                    found[file.relative_to(self._folder).as_posix()] = (status.st_size, status.st_mtime_ns)
            except FileNotFoundError:  # The training deletes old checkpoints while this looks.
                continue
        return found

    def _sync(self) -> None:
        bucket, prefix = S3Uri.parse(self._uri)
        now = self._scan()
        for name in sorted(now, key=lambda name: now[name][1]):
            if self._uploaded.get(name) != now[name]:
                try:
                    body = (self._folder / name).read_bytes()
                except FileNotFoundError:
                    continue
                key = f"{prefix.rstrip('/')}/{name}"
                self._s3.upload_fileobj(BytesIO(body), bucket, key, ExtraArgs=encryption(self._kms_key))
                self._uploaded[name] = now[name]
        for name in self._uploaded.keys() - now.keys():
            self._s3.delete_object(Bucket=bucket, Key=f"{prefix.rstrip('/')}/{name}")
            del self._uploaded[name]
