"""Folders of models, small and whole, for those who look at them before they are uploaded."""

import json
from pathlib import Path
from typing import Any

PLACES = 4
CONFIG = {"model_type": "llama", "architectures": ["LlamaForCausalLM"], "vocab_size": PLACES}
ADDED = [{"id": 3, "content": "</s>", "special": True}]
TOKENIZER = {"model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "c": 2}}, "added_tokens": ADDED}


def write_model(folder: Path) -> None:
    """A model in two shards, with an index, a README and the weights in another format."""
    folder.mkdir(exist_ok=True)
    write_weights(folder / "model-1.safetensors", "model.embed_tokens.weight")
    write_weights(folder / "model-2.safetensors", "lm_head.weight")
    weight_map = {"model.embed_tokens.weight": "model-1.safetensors", "lm_head.weight": "model-2.safetensors"}
    for name, content in {
        "config.json": CONFIG, "tokenizer_config.json": {}, "tokenizer.json": TOKENIZER,
        "model.safetensors.index.json": {"metadata": {"total_size": 8}, "weight_map": weight_map},
    }.items():  # fmt: skip
        write_json(folder / name, content)
    (folder / "README.md").write_text("#")
    (folder / "pytorch_model.bin").write_text("x")


def write_json(file: Path, content: Any) -> None:
    file.write_text(json.dumps(content))


def write_weights(file: Path, tensor: str, *, value: int = 0) -> None:
    """A safetensors file with one tensor of bytes, as many rows as the vocabulary has places."""
    data = bytes([value]) * PLACES
    header = json.dumps({tensor: {"dtype": "U8", "shape": [PLACES, 1], "data_offsets": [0, len(data)]}}).encode()
    file.write_bytes(len(header).to_bytes(8, "little") + header + data)
