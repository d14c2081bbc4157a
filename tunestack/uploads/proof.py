"""A data set proven before it is uploaded: by the tokenizer and template of the base model that was."""

import json
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError
from tunestack_training.rows import shown

from tunestack.aws import Aws
from tunestack.layout import BASE_MODELS, TOKENIZER_PART, S3Uri
from tunestack.settings.recipe import Recipe
from tunestack.uploads.inspection import DataSetView
from tunestack.uploads.training_environment import NOT_HERE, run_training_code
from tunestack.uploads.upload import UploadError

# As long as PrepareData takes for some gigabytes.
MOST_SECONDS = 3_600


def prove_data_set(
    aws: Aws, files: Sequence[Path], recipe: Recipe, *, python: Path, base_model_uri: str | None = None
) -> DataSetView | str:
    """What PrepareData will find, or why nobody knows it here; of the recipe's model, or the one that is named.

    Raises:
        UploadError: the preparation would fail.
    """
    if not python.exists():
        return NOT_HERE
    key = BASE_MODELS.key(recipe.model.name_or_path, recipe.model.revision)
    uri = base_model_uri or str(S3Uri(bucket=aws.bucket(BASE_MODELS.bucket), key=key))
    with tempfile.TemporaryDirectory() as scratch:
        if why_not := _download(aws, f"{uri}/{TOKENIZER_PART}/", Path(scratch)):
            return f"{recipe.model.name_or_path} {why_not}"
        try:
            done = run_training_code(python, "look", [scratch, *map(str, files)], recipe, most_seconds=MOST_SECONDS)
        except subprocess.TimeoutExpired:
            return f"it took more than {MOST_SECONDS} seconds"
    said = _last_line(done.stdout)
    if "error" in said:
        raise UploadError(said["error"])
    return _view(said["report"]) if "report" in said else f"it ended with exit code {done.returncode}"


def _download(aws: Aws, uri: str, folder: Path) -> str | None:
    """Fetch a tokenizer's files; why they can't be had, or None."""
    bucket, prefix = S3Uri.parse(uri)
    try:
        pages = list(aws.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix))
        keys = [item["Key"] for page in pages for item in page.get("Contents", [])]
        for key in keys:
            file = folder / key.removeprefix(prefix)
            file.parent.mkdir(parents=True, exist_ok=True)
            aws.s3.download_file(bucket, key, str(file))
    except ClientError as error:
        return f"can't be read in S3 ({error.response['Error']['Code']})"
    return None if keys else "isn't uploaded yet"


def _last_line(output: str) -> dict[str, Any]:
    """The JSON that the look ends with; libraries may have said something before it."""
    lines = output.strip().splitlines()
    try:
        found = json.loads(lines[-1]) if lines else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _view(report: Mapping[str, Any]) -> DataSetView:
    tokens = report["train_tokens"]
    return DataSetView(
        kinds=report["kinds"],
        rows=sum(report["rows"].values()),
        duplicates=report["duplicates"],
        several_answers=report["questions_with_several_answers"],
        rejected=report["rejected"],
        reasons=report["reasons"],
        ignored_keys={shown(key): count for key, count in report["ignored_keys"].items()},
        untrained_answers=report["untrained_answers"],
        tokens=tokens["total"],
        is_proven=True,
        cut=tokens["rows_longer_than_max_length"],
        dropped_for_length=report["dropped_for_length"],
        near_duplicates=report["near_duplicates"],
        splits=report["rows"],
    )
