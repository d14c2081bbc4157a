"""Where a model's architecture comes from: a preset, a `config.json`, a checkpoint, or the local Hugging Face cache."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

from tunestack.catalogue.models import model_configs
from tunestack.errors import nearest
from tunestack.sizing.model.architecture import Architecture
from tunestack.sizing.model.families import FAMILIES, from_config
from tunestack.sizing.model.model_config import ModelConfigError
from tunestack.sizing.model.quantized import quantization_of
from tunestack.sizing.model.safetensors_headers import checkpoint_shapes
from tunestack.sizing.model.shapes import from_shapes

# A Python with transformers, which knows the classes of families that this package doesn't.
PYTHON_VARIABLE = "TUNESTACK_TRANSFORMERS_PYTHON"
_OF_THE_KIT = Path(__file__).parents[3] / ".venv-training" / "bin" / "python"
_SCRIPT = Path(__file__).with_name("meta_shapes.py")
MOST_SECONDS = 120
# transformers names every family that it knows.
LONGEST_REASON = 300


def find_model(source: str) -> Architecture:
    """The architecture of a preset (`meta-llama/Llama-3.1-8B`), of a `config.json` or a folder with one, or of a model
    that the local Hugging Face cache has by its id.

    Of a family that isn't known, shapes come from the safetensors files beside the `config.json`, or from the class
    that transformers has, in this kit's training environment or the one that TUNESTACK_TRANSFORMERS_PYTHON names.

    Raises:
        ModelConfigError: no such model, or its configuration can't be read.
    """
    presets = model_configs()
    if source in presets:
        return from_config(presets[source], name=source)
    path = Path(source) / "config.json" if Path(source).is_dir() else Path(source)
    if path.is_file():
        return _from_file(path, name=str(path))
    if cached := _in_cache(source):
        return _from_file(cached, name=source)
    if source and (path.suffix == ".json" or Path(source).is_dir()):
        missing = "a folder without a config.json" if Path(source).is_dir() else "no such file"
        raise ModelConfigError(f"{missing}: {source!r}; name the model's config.json, or a preset by its hub id")
    hint = nearest(source, presets)
    raise ModelConfigError(
        f"no preset, no config.json, and nothing in the Hugging Face cache: {source!r}; {hint}. Name a model without a "
        "preset by its config.json's path; `tunestack models presets` lists those that have one"
    )


def _from_file(path: Path, *, name: str) -> Architecture:
    fields = _read(path)
    family = fields.get("model_type")
    if not isinstance(family, str) or family in FAMILIES:
        return from_config(fields, name=name)
    # Packed weights don't have the shapes of what they are of; eight bits are one to a number.
    packed = quantization_of(fields) not in ("none", "fp8")
    if not packed and (shapes := checkpoint_shapes(path.parent)):
        return from_shapes(shapes, fields, name=name, joins_experts=True)
    return from_shapes(_of_class(path, family, name), fields, name=name)


def _of_class(path: Path, family: str, name: str) -> Mapping[str, tuple[int, ...]]:
    """The shapes of the class that transformers has for the family."""
    # Heavy, and seldom needed.
    import subprocess

    python = Path(os.environ.get(PYTHON_VARIABLE) or _OF_THE_KIT)
    if not python.exists():
        raise ModelConfigError(
            f"{name}: the family {family!r} isn't one of {', '.join(sorted(FAMILIES))}; put the model's safetensors "
            f"files beside its config.json, or name a Python with transformers in {PYTHON_VARIABLE}"
        )
    command = [python, _SCRIPT, path]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=MOST_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ModelConfigError(f"{name}: asking {python} for the class of {family!r}: {error}") from None
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["it ended without a word"])[-1][:LONGEST_REASON]
        hint = nearest(family, FAMILIES)
        close = f"; {hint}" if hint.startswith("did you mean") else ""
        raise ModelConfigError(f"{name}: transformers in {python} can't build the family {family!r}{close}: {reason}")
    return {key: tuple(shape) for key, shape in json.loads(done.stdout).items()}


def _in_cache(source: str) -> Path | None:
    """The newest `config.json` of a hub id in the local cache, as huggingface_hub lays it out."""
    if source.count("/") != 1 or source.startswith((".", "/")):
        return None
    home = Path(os.environ.get("HF_HOME") or Path.home() / ".cache" / "huggingface")
    cache = Path(os.environ.get("HF_HUB_CACHE") or home / "hub")
    found = (cache / f"models--{source.replace('/', '--')}" / "snapshots").glob("*/config.json")
    return max(found, key=lambda file: file.stat().st_mtime, default=None)


def _read(path: Path) -> dict[str, object]:
    try:
        found = json.loads(path.read_text(encoding="utf-8-sig"))
    except (UnicodeDecodeError, ValueError) as error:
        raise ModelConfigError(f"{path}: not JSON: {error}") from None
    except RecursionError:
        raise ModelConfigError(f"{path}: not a model's configuration: nested too deeply") from None
    if not isinstance(found, dict):
        raise ModelConfigError(f"{path}: must be a JSON object, got {type(found).__name__}")
    return found
