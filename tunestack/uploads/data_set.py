"""Data sets: to `datasets/NAME/HASH/`, so that new data has a new URI and old runs keep theirs."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from tunestack_training.failure import JobError
from tunestack_training.file_kinds import TABLES, check_beginning, kind_of
from tunestack_training.file_text import check_text

from tunestack.aws import Aws
from tunestack.layout import BATCH_INPUT, DATASETS, Place, S3Uri
from tunestack.uploads.upload import UploadError, check_name, content_hash, upload_once

# What a batch transform takes: a question a line.
_LINES = (".jsonl", ".ndjson")


def add_data_set(aws: Aws, files: Sequence[Path], *, name: str) -> str:
    """Upload the files of a data set; its S3 URI.

    Raises:
        UploadError: a file is missing, empty, wrongly encoded or of a kind that PrepareData doesn't read.
    """
    check_name(name)
    check_data_files(files)
    digest = hashlib.sha256("".join(content_hash(file) for file in sorted(files)).encode()).hexdigest()[:12]
    return _upload(aws, files, place=DATASETS, folder=f"{name}/{digest}")


def add_batch_input(aws: Aws, file: Path, *, name: str) -> str:
    """Upload a JSON Lines file of questions for the batch transform; the S3 URI of its folder.

    Raises:
        UploadError: the file is no JSON Lines file.
    """
    check_name(name)
    check_data_file(file)
    if file.suffix.lower() not in _LINES:
        way = 'give each question as a line {"instruction": …}'
        raise UploadError(f"{file}: a batch transform reads JSON Lines (.jsonl), not {file.suffix!r}: {way}")
    return _upload(aws, [file], place=BATCH_INPUT, folder=f"{name}/{content_hash(file)[:12]}")


def check_data_files(files: Sequence[Path]) -> None:
    """See that the files of a data set can be read, and lie beside each other.

    Raises:
        UploadError: one can't, or two have one name: the second would be uploaded over the first.
    """
    for file in files:
        check_data_file(file)
    by_name: dict[str, Path] = {}
    for file in files:
        if other := by_name.get(file.name):
            raise UploadError(f"{other} and {file} have one name: rename one of them")
        by_name[file.name] = file


def check_data_file(file: Path) -> None:
    """See that a data file can be read at all.

    Raises:
        UploadError: it can't; the preparation would fail on it later.
    """
    if file.is_dir():
        raise UploadError(f"{file} is a folder: name the files in it")
    if not file.is_file():
        raise UploadError(f"{file}: {'is no regular file' if file.exists() else 'no such file'}")
    try:
        kind = kind_of(file.name)
        if file.stat().st_size == 0:
            raise UploadError(f"{file} is empty")
        check_beginning(file)
        if kind == ".parquet":
            _check_parquet(file)
        elif kind not in TABLES:
            check_text(file)
    except JobError as error:
        raise UploadError(str(error)) from None


def _check_parquet(file: Path) -> None:
    """See that a file is Parquet from its first bytes to its last; what its rows are, the job says."""
    with file.open("rb") as content:
        head, size = content.read(4), content.seek(0, 2)
        content.seek(max(size - 8, 0))
        footer_bytes, tail = int.from_bytes(content.read(4), "little"), content.read(4)
    if (head, tail) != (b"PAR1", b"PAR1") or not 0 < footer_bytes < size - 12:
        raise UploadError(f"{file} is not Parquet, or only a part of it")


def _upload(aws: Aws, files: Sequence[Path], *, place: Place, folder: str) -> str:
    bucket = aws.bucket(place.bucket)
    for file in files:
        upload_once(aws.s3, file, bucket=bucket, key=place.key(folder, file.name), kms_key=aws.key_arn)
    return str(S3Uri(bucket=bucket, key=place.key(folder, "")))
