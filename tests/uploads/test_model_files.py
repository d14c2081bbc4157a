"""Model folders that can't work are refused before gigabytes are uploaded, each with what would be right."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.uploads.models import ADDED, CONFIG, PLACES, TOKENIZER, write_json, write_model, write_weights
from tunestack.uploads import UploadError
from tunestack.uploads.model import check_model_folder

POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n"
WEIGHTS, OTHER, INDEX = "model-1.safetensors", "model-2.safetensors", "model.safetensors.index.json"
Change = Callable[[Path], object]


def text(name: str, content: str) -> Change:
    return lambda folder: (folder / name).write_text(content)


def config(**more: Any) -> Change:
    return lambda folder: write_json(folder / "config.json", {**CONFIG, **more})


def tokenizer(*added: dict[str, Any]) -> Change:
    return lambda folder: write_json(folder / "tokenizer.json", {**TOKENIZER, "added_tokens": [*ADDED, *added]})


def cut(name: str, to: int) -> Change:
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes()[:to])


def grown(folder: Path) -> None:
    with (folder / WEIGHTS).open("ab") as out:
        out.write(b"more")


def without(name: str) -> Change:
    return lambda folder: (folder / name).unlink()


def sentencepiece(folder: Path) -> None:
    (folder / "tokenizer.json").rename(folder / "tokenizer.model")


def adapter(folder: Path) -> None:
    (folder / "config.json").rename(folder / "adapter_config.json")


def of_another_name(folder: Path) -> None:
    (folder / INDEX).unlink()
    (folder / OTHER).unlink()
    (folder / WEIGHTS).rename(folder / "weights.safetensors")


def swapped(folder: Path) -> None:
    weight_map = {"model.embed_tokens.weight": OTHER, "lm_head.weight": OTHER}
    write_json(folder / INDEX, {"metadata": {}, "weight_map": weight_map})


def index(**said: Any) -> Change:
    return lambda folder: write_json(folder / INDEX, said)


def header(**tensors: Any) -> Change:
    """One file of weights, with such tensors of a byte each."""

    def write(folder: Path) -> None:
        (folder / INDEX).unlink()
        content = json.dumps(tensors).encode()
        (folder / "model.safetensors").write_bytes(len(content).to_bytes(8, "little") + content + bytes(len(tensors)))

    return write


def both(folder: Path) -> None:
    shutil.copy(folder / WEIGHTS, folder / "model.safetensors")


def unigram(folder: Path) -> None:
    pieces = [[f"piece {number}", 0.0] for number in range(PLACES + 1)]
    write_json(folder / "tokenizer.json", {**TOKENIZER, "model": {"type": "Unigram", "vocab": pieces}})


BROKEN: dict[str, tuple[Change, str]] = {
    "a config cut off": (text("config.json", "{"), "config.json is no JSON"),
    "a config that is a list": (text("config.json", "[]"), "must be a JSON object, got list"),
    "an empty config": (text("config.json", ""), "config.json is empty"),
    "a config of something else": (text("config.json", "{}"), "says no model_type"),
    "a pointer for a config": (text("config.json", POINTER), "a pointer of Git LFS"),
    "a pointer for weights": (text(WEIGHTS, POINTER), "git lfs pull"),
    "a web page for weights": (text(WEIGHTS, "<!DOCTYPE html><html>"), "is a web page"),
    "empty weights": (text(WEIGHTS, ""), "model-1.safetensors is empty"),
    "a byte of weights": (text(WEIGHTS, "1"), "is no safetensors file, or only a part of one"),
    "weights cut off": (cut(WEIGHTS, -2), "by its header: download it again"),
    "weights cut off in the header": (cut(WEIGHTS, 20), "is no safetensors file, or only a part of one"),
    "weights with more behind them": (grown, "and 99 by its header"),
    "weights that are text": (text(WEIGHTS, "x" * 500), "is no safetensors file"),
    "a shard without its tensor": (swapped, "looks for model.embed_tokens.weight in model-2.safetensors"),
    "an index of nothing": (text(INDEX, "{}"), "names no weights"),
    "a missing shard": (without(OTHER), "is not whole: model.safetensors.index.json names model-2.safetensors"),
    "weights of another name": (of_another_name, "nothing of it would be loaded"),
    "BERT": (config(model_type="bert", architectures=["BertForMaskedLM"]), "is no causal language model"),
    "T5": (config(model_type="t5", is_encoder_decoder=True), "is no causal language model"),
    "a vision model": (config(model_type="vit", architectures=["ViTForImageClassification"]), "is no causal language"),
    "a classifier": (config(architectures=["LlamaForSequenceClassification"]), "is no causal language model"),
    "GPTQ": (config(quantization_config={"quant_method": "gptq", "bits": 4}), r"quantised already \(gptq\)"),
    "4-bit already": (config(quantization_config={"load_in_4bit": True}), "quantised already"),
    "sentencepiece alone": (sentencepiece, r"no tokenizer.json \(found tokenizer.model\)"),
    "no tokenizer": (without("tokenizer.json"), "has no tokenizer.json: make it with transformers"),
    "a broken tokenizer": (text("tokenizer.json", "{"), "tokenizer.json is no JSON"),
    "a pad beyond the embeddings": (tokenizer({"id": PLACES, "content": "[PAD]"}), r"'\[PAD\]' has the number 4, and"),
    "a broken generation_config": (text("generation_config.json", "{,"), "generation_config.json is no JSON"),
    "an adapter": (adapter, "is an adapter: merge it into its base"),
    "an index that is a pointer": (text(INDEX, POINTER), "a pointer of Git LFS"),
    "an index without metadata": (index(weight_map={"a": WEIGHTS}), "has no metadata, which transformers reads"),
    "an index of elsewhere": (
        index(metadata={}, weight_map={"a": "../x.safetensors"}),
        "no safetensors file beside it",
    ),
    "weights twice": (both, "has both model.safetensors and model.safetensors.index.json"),
    "weights of ZeRO-3": (header(a={"dtype": "U8", "shape": [0], "data_offsets": [0, 1]}), "header can't be read"),
    "a tensor without a shape": (header(a={"dtype": "U8", "data_offsets": [0, 1]}), "header can't be read"),
    "weights of nothing": (header(), "holds no tensors"),
    "MLX": (config(quantization={"bits": 4, "group_size": 64}), "quantised already"),
    "a config with a mark": (lambda folder: (folder / "config.json").write_bytes(b"\xef\xbb\xbf{}"), "is no JSON"),
    "a config that the hub refused": (text("config.json", "Access to model x is restricted"), "log in and download"),
    "a web page for a tokenizer": (text("tokenizer.json", "<!doctype html>"), "is a web page"),
    "broken special tokens": (text("special_tokens_map.json", "{"), "special_tokens_map.json is no JSON"),
    "a tokenizer of something else": (text("tokenizer.json", '{"model": "x"}'), "is not as tokenizers writes it"),
    "a token without a number": (tokenizer({"content": "x"}), "is not as tokenizers writes it"),
    "unigrams beyond the embeddings": (unigram, "'piece 4' has the number 4"),
    "a pad that is no token": (text("tokenizer_config.json", '{"pad_token": "[PAD]"}'), r"'\[PAD\]' has the number 4"),
    "a token of the config beyond": (
        text("tokenizer_config.json", '{"added_tokens_decoder": {"7": {"content": "<x>"}}}'),
        "'<x>' has the number 7",
    ),
    "added tokens beyond": (text("added_tokens.json", '{"<x>": 9}'), "'<x>' has the number 9"),
    "a pad by its number": (config(pad_token_id=32000), "'pad_token_id' has the number 32,000"),
    "an end by its number": (
        text("generation_config.json", '{"eos_token_id": [1, 99]}'),
        "'eos_token_id' has the number 99",
    ),
    "CLIP": (config(architectures=["CLIPModel"], text_config={"vocab_size": 4}), "no causal language model"),
    "a template in Latin-1": (lambda folder: (folder / "chat_template.jinja").write_bytes(b"\xfc"), "is not UTF-8"),
    "a template that breaks": (text("chat_template.jinja", "{{ tools|length }}"), "breaks on a question"),
    "architectures that are a number": (config(architectures=5, model_type="t5", is_encoder_decoder=True), "no causal"),
}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    write_model(tmp_path / "model")
    return tmp_path / "model"


@pytest.mark.parametrize("name", BROKEN)
def test_a_folder_that_cannot_work_is_refused_with_what_would_be_right(name: str, model: Path) -> None:
    change, message = BROKEN[name]
    check_model_folder(model)
    change(model)
    with pytest.raises(UploadError, match=message):
        check_model_folder(model)


def one_file(folder: Path) -> None:
    for name in (INDEX, OTHER):
        (folder / name).unlink()
    (folder / WEIGHTS).rename(folder / "model.safetensors")


def wrapped(folder: Path) -> None:
    """As Gemma 3: a text model's configuration inside one that reads pictures, too."""
    whole = {"model_type": "gemma3", "architectures": ["Gemma3ForConditionalGeneration"]}
    write_json(folder / "config.json", {**whole, "text_config": {"vocab_size": PLACES}})


def with_metadata(folder: Path) -> None:
    content = (folder / WEIGHTS).read_bytes()
    length = int.from_bytes(content[:8], "little")
    header = json.dumps({"__metadata__": {"format": "pt"}, **json.loads(content[8 : 8 + length])}).encode()
    (folder / WEIGHTS).write_bytes(len(header).to_bytes(8, "little") + header + content[8 + length :])


GOOD: dict[str, Change] = {
    "one file": one_file,
    "a wrapped text model": wrapped,
    "another format beside": lambda folder: shutil.copy(folder / WEIGHTS, folder / "consolidated.safetensors"),
    "GPT-2's architecture": config(model_type="gpt2", architectures=["GPT2LMHeadModel"]),
    "an architecture by itself": config(architectures="LlamaForCausalLM"),
    "a broken configuration of pictures": text("preprocessor_config.json", "{"),
    "no architectures": lambda folder: write_json(folder / "config.json", {"model_type": "llama"}),
    "metadata in the header": with_metadata,
    "other weights": lambda folder: write_weights(folder / WEIGHTS, "model.embed_tokens.weight", value=3),
}


@pytest.mark.parametrize("name", GOOD)
def test_a_folder_that_works_is_taken(name: str, model: Path) -> None:
    GOOD[name](model)
    check_model_folder(model)
