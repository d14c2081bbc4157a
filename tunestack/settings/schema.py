"""The JSON Schemas of the files in `config/`, for editors and for the reference in the docs."""

from typing import Any

from tunestack.settings.delivery import Delivery
from tunestack.settings.environment import Environment


def environment_schema() -> dict[str, Any]:
    """JSON Schema of `config/<environment>.yaml`."""
    return Environment.model_json_schema() | {"title": "tunestack environment"}


def delivery_schema() -> dict[str, Any]:
    """JSON Schema of `config/delivery/delivery.yaml`."""
    return Delivery.model_json_schema() | {"title": "tunestack delivery"}
