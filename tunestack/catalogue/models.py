"""The models that people fine-tune: what their `config.json` on the Hugging Face hub says of their shape."""

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any


@cache
def model_configs() -> Mapping[str, Mapping[str, Any]]:
    """The shape fields of each preset's `config.json`, by hub id."""
    table = files("tunestack.catalogue").joinpath("data/models.json")
    return MappingProxyType(json.loads(table.read_text(encoding="utf-8")))
