"""The costs that a synthesized cloud assembly carries: each stack's, from its template's metadata."""

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tunestack.costs.stack_cost import METADATA_KEY, StackCost
from tunestack.errors import UserError
from tunestack.template.assembly import Assembly


def assembly_costs(folder: Path) -> dict[str, StackCost]:
    """Each stack's costs in a cloud assembly (`cdk.out`), by the stack's name.

    Raises:
        UserError: no assembly is there, or it has no costs.
    """
    return {stack.name: _cost_of(stack.template, str(stack.file)) for stack in Assembly.read(folder).own_stacks}


def template_cost(text: str, name: str) -> StackCost:
    """The costs that a template's text carries; `name` is what problems call it.

    Raises:
        UserError: it has none, or is no template.
    """
    try:
        return _cost_of(json.loads(text), name)
    except RecursionError:
        raise UserError(f"{name} is nested too deeply") from None
    except ValueError as error:
        raise UserError(f"{name}: not a template of this kit: {type(error).__name__}: {error}") from None


def _cost_of(template: Mapping[str, Any], name: str) -> StackCost:
    try:
        figures = (template.get("Metadata") or {}).get(METADATA_KEY)
        return _read(template, figures) if figures is not None else _not_ours(name)
    except ValidationError:
        raise UserError(f"{name}: its {METADATA_KEY} metadata isn't what this version of the kit writes") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{name}: not a template of this kit: {type(error).__name__}: {error}") from None


def _not_ours(name: str) -> StackCost:
    raise UserError(f"{name}: the template has no {METADATA_KEY} metadata: it wasn't made by this kit")


def _read(template: Mapping[str, Any], figures: Mapping[str, Any]) -> StackCost:
    resources = Counter(item["Type"] for item in template["Resources"].values())
    return StackCost.model_validate({**figures, "resources": resources})
