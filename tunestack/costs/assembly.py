"""The costs that a synthesized cloud assembly carries: each stack's, from its template's metadata."""

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tunestack.costs.stack_cost import EMPTY, METADATA_KEY, StackCost
from tunestack.costs.standing import ResourceUse, standing_cost
from tunestack.errors import UserError
from tunestack.template.assembly import Assembly, Stack
from tunestack.template.values import as_mapping


def assembly_costs(folder: Path) -> dict[str, StackCost]:
    """Each stack's costs in a cloud assembly (`cdk.out`), by the stack's name.

    What stacks of another kind, beside the kit's in one app, cost by standing there is counted from their resources.

    Raises:
        UserError: no assembly is there, or none of its stacks is the kit's.
    """
    stacks = Assembly.read(folder).own_stacks
    if not any(_figures(stack.template) for stack in stacks):
        return {stack.name: _cost_of(stack.template, str(stack.file)) for stack in stacks}
    return {
        stack.name: _cost_of(stack.template, str(stack.file)) if _figures(stack.template) else _counted(stack)
        for stack in stacks
    }


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


def _figures(template: Mapping[str, Any]) -> Any:
    return as_mapping(template.get("Metadata")).get(METADATA_KEY)


def _counted(stack: Stack) -> StackCost:
    """A stack that isn't the kit's: what its resources cost, with those whose price isn't known."""
    items = [as_mapping(item) for item in as_mapping(stack.template.get("Resources")).values()]
    uses = [ResourceUse.of(str(item.get("Type")), as_mapping(item.get("Properties"))) for item in items]
    found = standing_cost(uses, region=stack.region)
    return EMPTY.model_copy(
        update={
            "standing_usd": found.usd_per_month,
            "drivers": found.drivers,
            "unpriced": found.unpriced,
            "resources": Counter(str(item.get("Type")) for item in items),
        }
    )


def _cost_of(template: Mapping[str, Any], name: str) -> StackCost:
    try:
        figures = _figures(template)
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
