"""What reaches the buckets: under which name, encrypted, once for each content; and what never gets there."""

import json
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from tunestack.aws import Aws
from tunestack.layout import KEY_ARN_OUTPUT, Bucket, S3Uri, StackName
from tunestack.settings.loading import load_settings
from tunestack.uploads import UploadError, add_batch_input, add_data_set, add_model, download_from_hub


class Deployed(Aws):
    """An environment whose storage stack made these."""

    def outputs(self, stack: StackName) -> dict[str, str] | None:
        return {**{bucket.output: bucket.lower() for bucket in Bucket}, KEY_ARN_OUTPUT: self.__dict__["key"]}


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        found = Deployed(load_settings("dev"))
        found.__dict__["key"] = boto3.client("kms", region_name="us-east-1").create_key()["KeyMetadata"]["Arn"]
        for bucket in Bucket:
            found.s3.create_bucket(Bucket=bucket.lower())
        yield found


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    file = tmp_path / "rows.jsonl"
    file.write_text('{"instruction": "a", "response": "b"}\n')
    return file


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    folder.mkdir()
    index = {"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}}
    files = {
        "config.json": "{}", "tokenizer_config.json": "{}", "tokenizer.json": "{}", "README.md": "#",
        "model-1.safetensors": "1", "model-2.safetensors": "2", "pytorch_model.bin": "x",
        "model.safetensors.index.json": json.dumps(index),
    }  # fmt: skip
    for name, text in files.items():
        (folder / name).write_text(text)
    return folder


def keys(aws: Aws, bucket: Bucket) -> set[str]:
    return {item["Key"] for item in aws.s3.list_objects_v2(Bucket=bucket.lower()).get("Contents", [])}


def test_a_data_set_lies_under_the_hash_of_its_content(aws: Aws, rows: Path) -> None:
    first = add_data_set(aws, [rows], name="questions")
    assert add_data_set(aws, [rows], name="questions") == first
    rows.write_text('{"instruction": "a", "response": "c"}\n')
    assert add_data_set(aws, [rows], name="questions") != first
    bucket, key = S3Uri.parse(first)
    assert (
        bucket == "rawdata"
        and key.startswith("datasets/questions/")
        and f"{key}rows.jsonl" in keys(aws, Bucket.RAW_DATA)
    )


def test_what_is_uploaded_is_encrypted_with_the_environments_key_and_once_for_each_content(
    aws: Aws, rows: Path
) -> None:
    uri = add_batch_input(aws, rows, name="questions")
    bucket, key = S3Uri.parse(f"{uri}rows.jsonl")
    found = aws.s3.head_object(Bucket=bucket, Key=key)
    assert (found["ServerSideEncryption"], found["SSEKMSKeyId"]) == ("aws:kms", aws.key_arn)
    add_batch_input(aws, rows, name="questions")
    assert aws.s3.head_object(Bucket=bucket, Key=key)["LastModified"] == found["LastModified"]


def test_a_model_s_tokenizer_lies_apart_for_the_jobs_that_need_no_weights(aws: Aws, model: Path) -> None:
    uri = add_model(aws, model, name="my/model", revision="main")
    assert uri == "s3://artifacts/base-models/my/model/main"
    names = {key.removeprefix("base-models/my/model/main/") for key in keys(aws, Bucket.ARTIFACTS)}
    assert {
        "model/model-1.safetensors",
        "model/config.json",
        "tokenizer/config.json",
        "tokenizer/tokenizer.json",
    } <= names
    assert not [name for name in names if name.startswith("tokenizer/") and "safetensors" in name]
    assert not [name for name in names if name.endswith((".bin", "README.md"))]


@pytest.mark.parametrize(
    ("missing", "reason"),
    [
        ("config.json", "has no config.json"),
        ("tokenizer_config.json", "has no tokenizer_config.json"),
        ("model-2.safetensors", "is not whole: model.safetensors.index.json names model-2.safetensors"),
        ("*.safetensors", r"has no weights \(\*\.safetensors\) \(found pytorch_model\.bin: convert them"),
    ],
)
def test_half_a_model_is_refused_and_nothing_is_uploaded(missing: str, reason: str, aws: Aws, model: Path) -> None:
    for file in model.glob(missing):
        file.unlink()
    with pytest.raises(UploadError, match=reason):
        add_model(aws, model, name="my/model", revision="main")
    assert keys(aws, Bucket.ARTIFACTS) == set()


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("rows.txt", b"a", "a data file ends in .jsonl, .csv, .parquet"),
        ("rows.jsonl", b"", "is empty"),
        ("rows.jsonl", "é".encode("latin-1"), "is not UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_and_nothing_is_uploaded(
    name: str, content: bytes, reason: str, aws: Aws, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UploadError, match=reason):
        add_data_set(aws, [tmp_path / name], name="rows")
    with pytest.raises(UploadError, match="no such file"):
        add_data_set(aws, [tmp_path / "none.jsonl"], name="rows")
    assert keys(aws, Bucket.RAW_DATA) == set()


def test_two_models_do_not_mix_under_one_name(aws: Aws, model: Path) -> None:
    add_model(aws, model, name="a/b", revision="main")
    assert add_model(aws, model, name="a/b", revision="main").endswith("/a/b/main")
    before = keys(aws, Bucket.ARTIFACTS)
    (model / "model-1.safetensors").write_text("of another model")
    with pytest.raises(UploadError, match=r"holds another model: model/model-1.safetensors differs .* --revision"):
        add_model(aws, model, name="a/b", revision="main")
    assert keys(aws, Bucket.ARTIFACTS) == before
    assert add_model(aws, model, name="a/b", revision="2").endswith("/a/b/2")


def test_a_model_that_was_uploaded_in_part_is_completed(aws: Aws, model: Path) -> None:
    add_model(aws, model, name="a/b", revision="main")
    whole = keys(aws, Bucket.ARTIFACTS)
    aws.s3.delete_object(Bucket="artifacts", Key="base-models/a/b/main/model/model-2.safetensors")
    add_model(aws, model, name="a/b", revision="main")
    assert keys(aws, Bucket.ARTIFACTS) == whole


def test_a_download_is_named_after_its_commit(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\necho "Fetching 4 files"\necho 0123abc\n')
    python.chmod(0o755)
    assert download_from_hub("a/b", revision="main", folder=tmp_path, python=python) == "0123abc"
