"""What reaches the buckets: under which name, encrypted, once for each content; and what never gets there."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.uploads.models import write_model, write_weights
from tunestack.aws import Aws
from tunestack.executions.inputs import has_model, missing_inputs
from tunestack.jobs import URI_PARAMETERS
from tunestack.layout import Bucket, S3Uri
from tunestack.settings.loading import load_settings
from tunestack.uploads import (
    UploadError,
    add_batch_input,
    add_data_set,
    add_model,
    download_from_hub,
    inspect_data_set,
    upload,
)


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    file = tmp_path / "rows.jsonl"
    file.write_text('{"instruction": "a", "response": "b"}\n')
    return file


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    folder.mkdir()
    write_model(folder)
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
    for name in ("modeling_own.py", "adapter_config.json", "optimizer.pt", "weights.sqlite", "LICENSE.txt"):
        (model / name).write_text("{}")
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
    # What isn't read stays behind: it could change what is loaded.
    assert not [
        name for name in names if name.endswith((".bin", "README.md", ".py", ".pt", ".sqlite", "adapter_config.json"))
    ]
    assert "model/LICENSE.txt" in names


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
        ("rows.txt", b"a", "a data file ends in .jsonl, .ndjson, .jsonlines, .json"),
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
    write_weights(model / "model-1.safetensors", "model.embed_tokens.weight", value=7)
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


def test_two_files_of_one_name_are_refused_before_one_is_lost(aws: Aws, rows: Path, tmp_path: Path) -> None:
    other = tmp_path / "b" / rows.name
    other.parent.mkdir()
    other.write_text('{"instruction": "c", "response": "d"}\n')
    with pytest.raises(UploadError, match="have one name: rename one of them"):
        add_data_set(aws, [rows, other], name="questions")
    assert keys(aws, Bucket.RAW_DATA) == set()


def test_where_a_model_s_folder_lies_says_nothing_of_what_it_holds(aws: Aws, model: Path, tmp_path: Path) -> None:
    moved = tmp_path / "original" / "model"
    moved.parent.mkdir()
    model.rename(moved)
    add_model(aws, moved, name="a/b", revision="1")
    assert any(key.endswith("model-2.safetensors") for key in keys(aws, Bucket.ARTIFACTS))


def test_a_model_whose_upload_was_interrupted_is_not_there(
    aws: Aws, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = 3

    def interrupted(*arguments: Any, **named: Any) -> Any:
        nonlocal left
        left -= 1
        if not left:
            raise KeyboardInterrupt
        return real(*arguments, **named)

    real = upload.upload_once
    monkeypatch.setattr("tunestack.uploads.model.upload_once", interrupted)
    with pytest.raises(KeyboardInterrupt):
        add_model(aws, model, name="a/b", revision="1")
    uri = "s3://artifacts/base-models/a/b/1"
    assert keys(aws, Bucket.ARTIFACTS) and not has_model(aws, uri)
    monkeypatch.undo()
    assert add_model(aws, model, name="a/b", revision="1") == uri and has_model(aws, uri)
    # Another revision that begins alike is another.
    assert not has_model(aws, uri.removesuffix("1"))


def test_several_versions_of_a_data_set_are_never_taken_together(aws: Aws, rows: Path) -> None:
    folder = "s3://rawdata/datasets/questions/"
    values = {parameter.name: folder for parameter in URI_PARAMETERS}
    add_data_set(aws, [rows], name="questions")
    assert not [line for line in missing_inputs(aws, values) if line.startswith("DataUri")]
    rows.write_text('{"instruction": "a", "response": "c"}\n')
    newest = add_data_set(aws, [rows], name="questions")
    (line,) = (line for line in missing_inputs(aws, values) if line.startswith("DataUri"))
    assert f"2 versions lie under {folder}; the newest: --param DataUri=" in line
    assert newest.startswith(folder)
    assert not [line for line in missing_inputs(aws, values, given={"DataUri"}) if line.startswith("DataUri")]


def test_what_is_said_of_data_is_what_the_preparation_makes_of_it(tmp_path: Path) -> None:
    recipe = load_settings("dev").recipe
    data, general = tmp_path / "data.jsonl", tmp_path / "general.jsonl"
    for file, count in ((data, 400), (general, 60)):
        lines = [{"instruction": f"{file.stem} {n}", "response": "text " * 20} for n in range(count)]
        file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    whole = inspect_data_set([data, general], recipe)
    assert whole is not None and whole.rows == 400
    few = recipe.model_copy(update={"data": recipe.data.model_copy(update={"max_rows": 100})})
    part = inspect_data_set([data], few)
    assert part is not None and sum(part.splits.values()) == 100
    assert part.tokens < whole.tokens / 3
