"""The costs that a synthesized cloud assembly carries: each stack's, from its template's metadata."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tunestack.costs.stack_cost import METADATA_KEY, StackCost
from tunestack.errors import UserError


def assembly_costs(folder: Path) -> dict[str, StackCost]:
    """Each stack's costs in a cloud assembly (`cdk.out`), by the stack's name.

    Raises:
        UserError: no assembly is there, or it has no costs.
    """
    templates = sorted(folder.glob("*.template.json"))
    if not templates:
        raise UserError(
            f"{folder}: no cloud assembly: it has no *.template.json; `cdk synth --output {folder}` makes one"
        )
    names = _stack_names(folder)
    return {
        names.get(file.name, file.name.removesuffix(".template.json")): template_cost(_content(file), str(file))
        for file in templates
    }


def template_cost(text: str, name: str) -> StackCost:
    """The costs that a template's text carries; `name` is what problems call it.

    Raises:
        UserError: it has none, or is no template.
    """
    try:
        template = json.loads(text)
        figures = (template.get("Metadata") or {}).get(METADATA_KEY)
        return _read(template, figures) if figures is not None else _not_ours(name)
    except RecursionError:
        raise UserError(f"{name} is nested too deeply") from None
    except ValidationError:
        raise UserError(f"{name}: its {METADATA_KEY} metadata isn't what this version of the kit writes") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{name}: not a template of this kit: {type(error).__name__}: {error}") from None


def _content(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise UserError(f"{file}: not a template of this kit: {type(error).__name__}: {error}") from None


def _stack_names(folder: Path) -> dict[str, str]:
    """The stacks' names by their templates' files: in a stage of a delivery they aren't called alike."""
    manifest = folder / "manifest.json"
    try:
        artifacts = json.loads(manifest.read_text(encoding="utf-8")).get("artifacts", {})
        found = [artifact.get("properties", {}) for artifact in artifacts.values()]
        return {
            item["templateFile"]: item["stackName"] for item in found if {"templateFile", "stackName"} <= item.keys()
        }
    except (OSError, ValueError, AttributeError):
        return {}


def _not_ours(name: str) -> StackCost:
    raise UserError(f"{name}: the template has no {METADATA_KEY} metadata: it wasn't made by this kit")


def _read(template: dict[str, Any], figures: dict[str, Any]) -> StackCost:
    resources = Counter(item["Type"] for item in template["Resources"].values())
    return StackCost.model_validate({**figures, "resources": resources})
