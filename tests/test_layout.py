"""Names and places are said once: in layout.py, and nowhere as a literal."""

import re
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tunestack.files import write_whole
from tunestack.layout import Bucket, Image, Names, S3Uri, StackName
from tunestack.money import usd


def test_a_uri_is_read_and_written_back() -> None:
    uri = "s3://bucket/some/key/"
    assert S3Uri.parse(uri) == ("bucket", "some/key/") and str(S3Uri.parse(uri)) == uri
    assert S3Uri.parse("s3://bucket") == ("bucket", "")


@pytest.mark.parametrize("text", ["bucket/key", "https://bucket/key", "s3://", "s3:///key", ""])
def test_what_is_no_uri_is_refused_with_the_value(text: str) -> None:
    with pytest.raises(ValueError, match="must be an S3 URI"):
        S3Uri.parse(text)


def test_every_name_begins_with_the_environments_prefix() -> None:
    names = Names(project="kit", environment="dev")
    found = [
        names.pipeline, names.model_package_group, names.budget("us-east-1"),
        *(names.stack(stack) for stack in StackName), *(names.repository(image) for image in Image),
    ]  # fmt: skip
    assert len(set(found)) == len(found) and all(name.startswith("kit-dev-") for name in found)
    assert names.key_alias == "alias/kit-dev"


def test_no_place_or_output_is_written_as_a_literal_elsewhere() -> None:
    places = "datasets|base-models|executions|checkpoints|packages|batch-input"
    outputs = '(?:RawData|Artifacts|Results)BucketName|KeyArn|(?:Training|Inference)ImageUri|RunExpectedUsd|-fine-tuning|-models"'
    literal = re.compile(rf"""s3://\{{|["'/](?:{places})/|{outputs}|removeprefix\("s3://""")
    files = [file for root in ("tunestack", "constructs", "stacks", "demo") for file in (ROOT / root).rglob("*.py")]
    # What is written about S3 URIs in general, and the one place that puts a bucket and a prefix together.
    allowed = {
        "tunestack/layout.py",
        # Run in a Lambda function, which has nothing of the kit.
        "constructs/tunestack_functions/promote.py",
        "constructs/tunestack_functions/copying.py",
    }
    found = [
        f"{file.relative_to(ROOT)}: {line.strip()}"
        for file in files
        if file.relative_to(ROOT).as_posix() not in allowed
        for line in file.read_text(encoding="utf-8").splitlines()
        if literal.search(line) and '"""' not in line
    ]
    assert found == []
    assert {bucket.output for bucket in Bucket} == {"RawDataBucketName", "ArtifactsBucketName", "ResultsBucketName"}


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    file = tmp_path / "folder" / "file.json"
    write_whole(file, "old")
    write_whole(file, b"new")
    assert file.read_text() == "new" and [item.name for item in file.parent.iterdir()] == ["file.json"]


def test_dollars_are_written_one_way() -> None:
    assert (usd(1234.5), usd(0), usd(None)) == ("$1,234.50", "$0.00", "unknown")
