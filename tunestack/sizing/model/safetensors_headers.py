"""Names and shapes of the tensors of a checkpoint, from the headers of its safetensors files: nothing else is read.

The format: https://huggingface.co/docs/safetensors — eight bytes with the header's length, then the header, as JSON.
"""

import json
import struct
from pathlib import Path

from tunestack.sizing.model.model_config import ModelConfigError

LARGEST_HEADER_BYTES = 100_000_000
# What stands beside a quantised weight: it belongs to the numbers, not to the model.
_PACKED = (
    "absmax", "quant_map", "quant_state", "nested_absmax", "nested_quant_map", "scales", "qzeros", "g_idx",
    "weight_packed",
)  # fmt: skip
# Beside weights that are one number each: those of fp8.
_SCALES = ("weight_scale", "weight_scale_inv", "input_scale")
_INDEX, _WHOLE = "model.safetensors.index.json", "model.safetensors"
# Not the model's, or once more the same: adapters beside it, and Mistral's own layout.
_OTHERS = ("adapter", "consolidated")


def checkpoint_shapes(folder: Path) -> dict[str, tuple[int, ...]]:
    """The shapes of every tensor in a folder's safetensors files, by name; empty where there are none.

    Raises:
        ModelConfigError: a file is missing or isn't one, or weights are packed: their shapes aren't the model's.
    """
    found: dict[str, tuple[int, ...]] = {}
    for file in _files(folder):
        for name, entry in _header(file).items():
            if name == "__metadata__" or name.endswith(_SCALES):
                continue
            if name.endswith(_PACKED) or ".absmax" in name or ".quant_state" in name:
                raise ModelConfigError(
                    f"{file}: holds quantised weights, whose shapes aren't the model's: name its base"
                )
            found[name] = tuple(entry["shape"])
    return found


def _files(folder: Path) -> list[Path]:
    """The files of the model itself: those that its index names, the one that holds all, or whatever is there."""
    index = folder / _INDEX
    if index.is_file():
        try:
            names = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
            files = [folder / str(name) for name in names]
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OSError):
            raise ModelConfigError(f"{index}: not an index of safetensors files") from None
        if missing := [file.name for file in files if not file.is_file()]:
            raise ModelConfigError(
                f"{folder}: {len(missing)} of {len(files)} files of the index are missing, {missing[0]} first"
            )
        return files
    if (folder / _WHOLE).is_file():
        return [folder / _WHOLE]
    return sorted(file for file in folder.glob("*.safetensors") if not file.name.startswith(_OTHERS))


def _header(file: Path) -> dict[str, dict[str, list[int]]]:
    try:
        with file.open("rb") as stream:
            (length,) = struct.unpack("<Q", stream.read(8))
            if length > LARGEST_HEADER_BYTES:
                raise ValueError
            header = json.loads(stream.read(length))
        assert isinstance(header, dict)
        for name, entry in header.items():
            assert name == "__metadata__" or all(type(size) is int and size >= 0 for size in entry["shape"])
    except (struct.error, ValueError, AssertionError, KeyError, TypeError, OSError, RecursionError):
        raise ModelConfigError(f"{file}: not a safetensors file") from None
    return header
