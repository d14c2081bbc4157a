"""Where a model's architecture comes from: a preset by its hub id, or a `config.json` by path."""

import json
from pathlib import Path

from tunestack.catalogue.models import model_configs
from tunestack.errors import nearest
from tunestack.sizing.model.architecture import Architecture
from tunestack.sizing.model.families import from_config
from tunestack.sizing.model.model_config import ModelConfigError


def find_model(source: str) -> Architecture:
    """The architecture of a preset (`meta-llama/Llama-3.1-8B`), or of the `config.json` at a path.

    Raises:
        ModelConfigError: neither a preset nor a readable configuration.
    """
    presets = model_configs()
    if source in presets:
        return from_config(presets[source], name=source)
    path = Path(source) / "config.json" if Path(source).is_dir() else Path(source)
    if path.is_file():
        return from_config(_read(path), name=str(path))
    if source and (path.suffix == ".json" or Path(source).is_dir()):
        missing = "a folder without a config.json" if Path(source).is_dir() else "no such file"
        raise ModelConfigError(f"{missing}: {source!r}; name the model's config.json, or a preset by its hub id")
    hint = nearest(source, presets)
    raise ModelConfigError(
        f"no preset and no config.json: {source!r}; {hint}. Name a model without a preset by its config.json's path"
    )


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
