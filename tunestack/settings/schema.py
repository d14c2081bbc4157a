"""The JSON Schema of an environment's file, for editors and for the reference in the docs."""

from typing import Any

from tunestack.settings.environment import Environment


def environment_schema() -> dict[str, Any]:
    """JSON Schema of `config/<environment>.yaml`."""
    return Environment.model_json_schema() | {"title": "tunestack environment"}
