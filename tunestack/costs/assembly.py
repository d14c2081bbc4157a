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
    return {file.name.removesuffix(".template.json"): _stack(file) for file in templates}


def _stack(file: Path) -> StackCost:
    try:
        template = json.loads(file.read_text(encoding="utf-8"))
        figures = (template.get("Metadata") or {}).get(METADATA_KEY)
        return _read(template, figures) if figures is not None else _not_ours(file)
    except RecursionError:
        raise UserError(f"{file} is nested too deeply") from None
    except ValidationError:
        raise UserError(f"{file}: its {METADATA_KEY} metadata isn't what this version of the kit writes") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{file}: not a template of this kit: {type(error).__name__}: {error}") from None


def _not_ours(file: Path) -> StackCost:
    raise UserError(f"{file}: the template has no {METADATA_KEY} metadata: it wasn't made by this kit")


def _read(template: dict[str, Any], figures: dict[str, Any]) -> StackCost:
    resources = Counter(item["Type"] for item in template["Resources"].values())
    return StackCost.model_validate({**figures, "resources": resources})
