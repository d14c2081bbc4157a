"""A model's files, read before gigabytes are uploaded: what they are, whether they are whole, and fit each other."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tunestack.uploads.model_tokens import check_tokens
from tunestack.uploads.upload import UploadError

WEIGHTS = "*.safetensors"
INDEX = "model.safetensors.index.json"
_LFS, _PAGE = b"version https://git-lfs", (b"<!doctype", b"<html", b"<?xml")
# What the hub says instead of a file, to whom it doesn't give it.
_REFUSALS = (
    b"access to model",
    b"entry not found",
    b"repository not found",
    b"invalid username",
    b"invalid credentials",
)
# The length of a safetensors header, and the longest that its library reads.
_LENGTH_BYTES, _MOST_HEADER_BYTES = 8, 100_000_000
_CONFIGS = (
    "config.json",
    "tokenizer_config.json",
    "tokenizer.json",
    "generation_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
)
# How a tensor of token embeddings is called, by its family.
_EMBEDDINGS = (
    "embed_tokens.weight",
    "wte.weight",
    "word_embeddings.weight",
    "embed_in.weight",
    "tok_embeddings.weight",
)
Header = Mapping[str, Any]


def check_model_files(folder: Path) -> None:
    """See that a model can be loaded, trained and packed, by its configurations, headers and tokenizer.

    Raises:
        UploadError: naming the file, what is wrong with it, and what would be right.
    """
    read = {name: _json_of(folder / name) for name in _CONFIGS if (folder / name).is_file()}
    _check_config(folder, read["config.json"])
    headers = {file.name: _header_of(file) for file in weight_files(folder)}
    _check_index(folder, headers)
    check_tokens(folder, read, _embedded_tokens(headers) or _vocabulary(read["config.json"]))


def weight_files(folder: Path) -> list[Path]:
    """The files of weights that transformers loads: those of the index, or the one of its name.

    Raises:
        UploadError: there are none of these names, or not all.
    """
    index, whole = folder / INDEX, folder / "model.safetensors"
    if index.is_file() and whole.is_file():
        raise UploadError(f"{folder} has both {whole.name} and {INDEX}, of which one is loaded: take the other away")
    if index.is_file():
        said = _json_of(index)
        weight_map = said.get("weight_map")
        if not isinstance(weight_map, dict) or not weight_map:
            raise UploadError(f"{index} names no weights (weight_map)")
        if not isinstance(said.get("metadata"), dict):
            raise UploadError(f"{index} has no metadata, which transformers reads: save the model with save_pretrained")
        names = sorted({str(name) for name in weight_map.values()})
        if odd := [name for name in names if Path(name).name != name or not Path(name).match(WEIGHTS)]:
            raise UploadError(f"{index} names {odd[0]!r}, which is no safetensors file beside it")
        if missing := [name for name in names if not (folder / name).is_file()]:
            raise UploadError(f"{folder} is not whole: {INDEX} names {', '.join(missing)}")
        return [folder / name for name in names]
    if whole.is_file():
        return [whole]
    found = ", ".join(sorted(file.name for file in folder.glob(WEIGHTS)))
    raise UploadError(
        f"{folder} has {found}, and neither model.safetensors nor {INDEX}: nothing of it would be loaded; download the "
        "index, too"
    )


def _json_of(file: Path) -> Mapping[str, Any]:
    content = file.read_bytes()
    _refuse_stand_ins(file, content[:200])
    try:
        # As transformers reads it: without a mark before it, and in no other encoding.
        found = json.loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise UploadError(f"{file} is no JSON: {error}") from None
    if not isinstance(found, dict):
        raise UploadError(f"{file} must be a JSON object, got {type(found).__name__}")
    return found


def _refuse_stand_ins(file: Path, start: bytes) -> None:
    if start.startswith(_LFS):
        raise UploadError(f"{file} is a pointer of Git LFS, not the file: run `git lfs pull` in its folder")
    if start.lstrip().lower().startswith(_REFUSALS):
        raise UploadError(f"{file} is what the hub says instead of the file: log in and download it again")
    if start.lstrip().lower().startswith(_PAGE):
        raise UploadError(f"{file} is a web page, not the file: download it again, logged in where that is asked")
    if not start:
        raise UploadError(f"{file} is empty: download it again")


def _check_config(folder: Path, config: Mapping[str, Any]) -> None:
    file = folder / "config.json"
    given = config.get("architectures") or []
    names = [given] if isinstance(given, str) else [*map(str, given)] if isinstance(given, list) else []
    # A text model's configuration inside one that reads pictures, too.
    wraps = isinstance(config.get("text_config"), dict) and all(
        name.endswith("ForConditionalGeneration") for name in names
    )
    if not config.get("model_type"):
        raise UploadError(f"{file} says no model_type: it is not the configuration of a transformers model")
    if config.get("is_encoder_decoder") or (
        names and not any(name.endswith("ForCausalLM") or name.endswith("LMHeadModel") for name in names) and not wraps
    ):
        what = ", ".join(names) or config["model_type"]
        raise UploadError(f"{file}: {what} is no causal language model, which is what is fine-tuned here")
    if quantised := config.get("quantization_config", config.get("quantization")):
        how = quantised.get("quant_method", "an unknown method") if isinstance(quantised, dict) else quantised
        raise UploadError(
            f"{file}: its weights are quantised already ({how}): adapters of it could be trained, and not be packed. "
            "Upload the original weights: the recipe quantises them (quantization.load_in_4bit)"
        )


def _header_of(file: Path) -> Header:
    """The header of a safetensors file, whose data must be all there.

    The format: eight bytes with the header's length, the header as JSON, the data
    (https://github.com/huggingface/safetensors#format).
    """
    size = file.stat().st_size
    with file.open("rb") as content:
        start = content.read(200)
        _refuse_stand_ins(file, start)
        length = int.from_bytes(start[:_LENGTH_BYTES], "little")
        if size <= _LENGTH_BYTES or length > min(size - _LENGTH_BYTES, _MOST_HEADER_BYTES):
            raise UploadError(f"{file} is no safetensors file, or only a part of one: download it again")
        content.seek(_LENGTH_BYTES)
        try:
            header = json.loads(content.read(length))
            ends = [item["data_offsets"][1] for name, item in header.items() if name != "__metadata__"]
            _check_shapes(header)
        except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError):
            raise UploadError(f"{file} is no safetensors file: its header can't be read; download it again") from None
    if not ends:
        raise UploadError(f"{file} holds no tensors: an adapter's or an optimizer's file is no model; save it whole")
    if _LENGTH_BYTES + length + max(ends, default=0) != size:
        wanted = _LENGTH_BYTES + length + max(ends, default=0)
        raise UploadError(f"{file} has {size:,} bytes, and {wanted:,} by its header: download it again")
    found: Header = header
    return found


def _check_shapes(header: Header) -> None:
    """
    Raises:
        ValueError: a tensor has no shape, or one of zeros, as DeepSpeed's ZeRO-3 leaves it.
    """
    for name, item in header.items():
        if name != "__metadata__" and not all(isinstance(size, int) and size > 0 for size in item["shape"]):
            raise ValueError(name)


def _check_index(folder: Path, headers: Mapping[str, Header]) -> None:
    index = folder / INDEX
    if not index.is_file():
        return
    for tensor, name in sorted(_json_of(index)["weight_map"].items()):
        if tensor not in headers[name]:
            raise UploadError(f"{folder} is not whole: {INDEX} looks for {tensor} in {name}, which hasn't it")


def _embedded_tokens(headers: Mapping[str, Header]) -> int | None:
    """How many tokens the weights have embeddings for."""
    shapes = [
        item["shape"]
        for header in headers.values()
        for name, item in header.items()
        if name.endswith(_EMBEDDINGS) and len(item.get("shape", [])) == 2
    ]
    return max((int(shape[0]) for shape in shapes), default=None)


def _vocabulary(config: Mapping[str, Any]) -> int | None:
    found = (config.get("text_config") or config).get("vocab_size")
    return found if isinstance(found, int) else None
