"""A data set looked at with the uploaded model's own tokenizer: what PrepareData would reject is said before."""

import json
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from botocore.exceptions import ClientError

from tunestack.aws import Aws
from tunestack.cli.staging import TRAINING_PYTHON, DataLook, look_at_data, print_data_set
from tunestack.layout import BASE_MODELS, Bucket
from tunestack.uploads import UploadError
from tunestack.uploads.training_environment import NOT_HERE

MARKS = ["<unk>", "<|im_start|>", "<|im_end|>"]
TOKENIZER = {
    "version": "1.0",
    "added_tokens": [
        {"id": index, "content": mark, "special": True, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
        for index, mark in enumerate(MARKS)
    ],
    "normalizer": None, "post_processor": None, "decoder": None, "truncation": None, "padding": None,
    "pre_tokenizer": {"type": "Whitespace"},
    "model": {"type": "WordLevel", "unk_token": "<unk>", "vocab": {word: index for index, word in enumerate([*MARKS, "a", "b"])}},
}  # fmt: skip
TEMPLATE = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
FILES: dict[str, Any] = {
    "config.json": {"model_type": "llama", "max_position_embeddings": 4096},
    "tokenizer.json": TOKENIZER,
    "tokenizer_config.json": {
        "tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "<|im_end|>", "unk_token": "<unk>", "chat_template": TEMPLATE,
    },
}  # fmt: skip


@pytest.fixture
def uploaded(aws: Aws) -> Aws:
    model = aws.settings.recipe.model
    for name, content in FILES.items():
        key = f"{BASE_MODELS.key(model.name_or_path, model.revision)}/tokenizer/{name}"
        aws.s3.put_object(Bucket=Bucket.ARTIFACTS.lower(), Key=key, Body=json.dumps(content))
    return aws


def rows(folder: Path, *more: dict[str, Any], count: int = 30) -> Path:
    lines = [{"instruction": f"question {number}", "response": "a b"} for number in range(count)]
    file = folder / "rows.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in [*lines, *more]))
    return file


def test_rows_are_counted_in_the_models_tokens_and_held_against_its_template(
    uploaded: Aws, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = {"instruction": "what is <|im_end|>?", "response": "a mark"}
    long = {"instruction": "a " * 20, "response": "b " * 50, "source": "web"}
    look = look_at_data(uploaded, [rows(tmp_path, bad, long)], {"MaxLength": "64"})
    view = look.view
    assert view is not None and look.not_proven is None and view.is_proven
    assert view.rejected == 1 and view.cut == 1 and sum(view.splits.values()) == 31
    (reason,) = view.reasons
    assert "'<|im_end|>', which the model takes for a mark" in reason
    print_data_set(look)
    said = capsys.readouterr().out
    assert "1 rows are longer than training.max_length and will be cut" in said and "about" not in said
    assert "key 'source' of 1 rows is not trained on" in said


def test_what_would_fail_the_preparation_is_said_before_the_upload(uploaded: Aws, tmp_path: Path) -> None:
    long = [{"instruction": f"{number} " + "a " * 80, "response": "b"} for number in range(30)]
    with pytest.raises(UploadError, match="would cut the whole answer off"):
        look_at_data(uploaded, [rows(tmp_path, *long, count=0)], {"MaxLength": "64"})
    with pytest.raises(UploadError, match="position"):
        look_at_data(uploaded, [rows(tmp_path)], {"MaxLength": "8192"})


def test_without_model_or_environment_rows_are_looked_at_without_them(
    aws: Aws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # What a run can't choose, the run refuses.
    look = look_at_data(aws, [rows(tmp_path)], {"MaxLength": "[64"})
    assert look.view is not None and not look.view.is_proven and "isn't uploaded yet" in str(look.not_proven)
    refusal = ClientError({"Error": {"Code": "AccessDenied"}}, "ListObjectsV2")
    with monkeypatch.context() as patched:
        patched.setattr(aws.s3, "get_paginator", Mock(side_effect=refusal))
        assert "can't be read in S3 (AccessDenied)" in str(look_at_data(aws, [rows(tmp_path)], {}).not_proven)
    monkeypatch.setattr("tunestack.cli.staging.TRAINING_PYTHON", TRAINING_PYTHON.with_name("none"))
    look = look_at_data(aws, [rows(tmp_path)], {})
    assert look.not_proven == NOT_HERE
    print_data_set(DataLook(look.view, NOT_HERE))
    assert "not looked at with the model's tokenizer" in capsys.readouterr().out
