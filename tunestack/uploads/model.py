"""Base models: to `base-models/NAME/REVISION/`, the tokenizer apart for the jobs that need nothing else."""

import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from tunestack.aws import Aws
from tunestack.layout import BASE_MODELS, MODEL_CONFIG, MODEL_PART, TOKENIZER_PART, S3Uri
from tunestack.uploads.model_files import INDEX, WEIGHTS, check_model_files, weight_files
from tunestack.uploads.template import check_chat_template
from tunestack.uploads.upload import UploadError, check_name, content_hash, stored_hash, upload_once

# What a job reads of a model's folder, and what says under which terms it is used. Nothing else goes along: no code, no
# other format of the same weights, no adapter that transformers would load by itself.
_TOKENIZER = (
    "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "chat_template.jinja",
    "chat_template.json", "vocab.json", "vocab.txt", "merges.txt", "tokenizer.model", "spiece.model",
)  # fmt: skip
_TERMS = ("LICENSE*", "LICENCE*", "USE_POLICY*", "NOTICE*")
_READ = ("config.json", "generation_config.json", INDEX, *_TOKENIZER, *_TERMS)
_BESIDE_IT = ("additional_chat_templates/*.jinja",)
_NOT_OF_THE_TOKENIZER = (WEIGHTS, "*.safetensors.index.json")


def add_model(aws: Aws, folder: Path, *, name: str, revision: str) -> str:
    """Upload a model's folder; the S3 URI that BaseModelUri takes.

    Raises:
        UploadError: the folder is no whole model, or another model lies under that name and revision.
    """
    check_name(name, parts=2)
    check_name(revision)
    check_model_folder(folder)
    bucket, prefix = aws.bucket(BASE_MODELS.bucket), BASE_MODELS.key(name, revision)
    files = dict(_keys(folder, prefix))
    _refuse_another_model(aws, bucket, prefix, files)
    # The configuration last: where it lies, the model is whole, and an upload that was interrupted is none.
    last = f"{prefix}/{MODEL_CONFIG}"
    for key in sorted(files, key=lambda key: key == last):
        upload_once(aws.s3, files[key], bucket=bucket, key=key, kms_key=aws.key_arn)
    return str(S3Uri(bucket=bucket, key=prefix))


def check_model_folder(folder: Path) -> None:
    """See that a folder holds a whole model: configuration, tokenizer, every weight file, a template that can be used.

    Raises:
        UploadError: naming what is missing, or what is wrong with the template.
    """
    if not folder.is_dir():
        raise UploadError(
            f"{folder} is a file: name the model's folder" if folder.exists() else f"{folder}: no such folder"
        )
    if (folder / "adapter_config.json").is_file() and not (folder / "config.json").is_file():
        raise UploadError(f"{folder} is an adapter: merge it into its base (merge_and_unload), and upload that")
    for needed in ("config.json", "tokenizer_config.json"):
        if not (folder / needed).is_file():
            raise UploadError(f"{folder} has no {needed}: it is not the folder of a Hugging Face model")
    if not list(folder.glob(WEIGHTS)):
        other = [file.name for pattern in ("*.bin", "*.gguf", "*.pth") for file in folder.glob(pattern)]
        hint = f" (found {', '.join(other)}: convert them to safetensors)" if other else ""
        raise UploadError(f"{folder} has no weights ({WEIGHTS}){hint}")
    check_model_files(folder)
    check_chat_template(folder)


def download_from_hub(model: str, *, revision: str, folder: Path, python: Path) -> str:
    """Download a model with the training environment's huggingface_hub, where there is internet; the commit's hash.

    A branch or a tag may name another commit tomorrow; what is uploaded is named after the commit.

    Raises:
        UploadError: it can't be had; the text is the hub's own.
    """
    if not python.exists():
        raise UploadError(f"no training environment at {python}: make setup")
    script = (
        "import sys; from huggingface_hub import HfApi, snapshot_download as get; "
        "commit = HfApi().model_info(sys.argv[1], revision=sys.argv[2]).sha; "
        "get(sys.argv[1], revision=commit, local_dir=sys.argv[3], allow_patterns=sys.argv[4:], "
        "ignore_patterns='consolidated*'); print(commit)"
    )
    done = subprocess.run(
        [str(python), "-c", script, model, revision, str(folder), WEIGHTS, *_READ, *_BESIDE_IT],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        shutil.rmtree(folder, ignore_errors=True)
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise UploadError(f"{model} at {revision} can't be downloaded: {reason}")
    return done.stdout.strip().splitlines()[-1]


def _keys(folder: Path, prefix: str) -> Iterator[tuple[str, Path]]:
    """Where each file of a model goes: the tokenizer's also apart, for the jobs that need nothing else."""
    for file in _files(folder):
        of_weights = any(file.match(pattern) for pattern in _NOT_OF_THE_TOKENIZER)
        for part in (MODEL_PART,) if of_weights else (MODEL_PART, TOKENIZER_PART):
            yield f"{prefix}/{part}/{file.relative_to(folder).as_posix()}", file


def _refuse_another_model(aws: Aws, bucket: str, prefix: str, files: Mapping[str, Path]) -> None:
    """Two models under one prefix would be one model of mixed files, and nobody would see it."""
    pages = aws.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{prefix}/")
    for item in (item for page in pages for item in page.get("Contents", [])):
        key = item["Key"]
        if key not in files or stored_hash(aws.s3, bucket=bucket, key=key) != content_hash(files[key]):
            file = key.removeprefix(f"{prefix}/")
            raise UploadError(
                f"{S3Uri(bucket=bucket, key=prefix)} holds another model: {file} differs from the folder's; "
                "give this one a --name or a --revision of its own"
            )


def _files(folder: Path) -> list[Path]:
    found = {file for pattern in (*_READ, *_BESIDE_IT) for file in folder.glob(pattern) if file.is_file()}
    return sorted(found | {*weight_files(folder)})
