"""Names and shapes of the tensors of a checkpoint, from the headers of its safetensors files: nothing else is read.

The format: https://huggingface.co/docs/safetensors — eight bytes with the header's length, then the header, as JSON.
"""

import json
import math
import struct
from pathlib import Path

from tunestack.sizing.model.model_config import ModelConfigError

LARGEST_HEADER_BYTES = 100_000_000
# What stands beside a quantised weight: it belongs to the numbers, not to the model.
_SCALES = ("absmax", "quant_map", "quant_state", "nested_absmax", "nested_quant_map", "scales", "qzeros", "g_idx")


def checkpoint_shapes(folder: Path) -> dict[str, tuple[int, ...]]:
    """The shapes of every tensor in a folder's safetensors files, by name; empty where there are none.

    Raises:
        ModelConfigError: a file isn't one, or its weights are packed: their shapes aren't the model's.
    """
    found: dict[str, tuple[int, ...]] = {}
    for file in sorted(folder.glob("*.safetensors")):
        for name, entry in _header(file).items():
            if name == "__metadata__":
                continue
            if name.endswith(_SCALES) or ".absmax" in name or ".quant_state" in name:
                raise ModelConfigError(
                    f"{file}: holds quantised weights, whose shapes aren't the model's: name its base"
                )
            found[name] = tuple(entry["shape"])
    return found


def _header(file: Path) -> dict[str, dict[str, list[int]]]:
    try:
        with file.open("rb") as stream:
            (length,) = struct.unpack("<Q", stream.read(8))
            if length > LARGEST_HEADER_BYTES:
                raise ValueError
            header = json.loads(stream.read(length))
        assert isinstance(header, dict)
        for name, entry in header.items():
            assert name == "__metadata__" or math.prod(entry["shape"]) >= 0
    except (struct.error, ValueError, AssertionError, KeyError, TypeError, OSError):
        raise ModelConfigError(f"{file}: not a safetensors file") from None
    return header
