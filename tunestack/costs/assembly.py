"""The costs that a synthesized cloud assembly carries: each stack's, from its template's metadata."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunestack.errors import UserError

METADATA_KEY = "tunestack:cost"


@dataclass(frozen=True, kw_only=True)
class StepCost:
    """A job of a run, as a template states it: hours and dollars, None where no price is known."""

    instance_type: str
    expected_hours: float
    usd_per_hour: float | None
    paid_share: float
    price_as_of: str

    @property
    def expected_usd(self) -> float | None:
        return None if self.usd_per_hour is None else self.usd_per_hour * self.expected_hours * self.paid_share


@dataclass(frozen=True, kw_only=True)
class StackCost:
    """One stack's figures: dollars a month and a run, what they are made of, and its resources by type."""

    standing_usd: float
    drivers: Mapping[str, float]
    run_low_usd: float
    run_expected_usd: float
    run_ceiling_usd: float
    steps: Mapping[str, StepCost]
    assumptions: tuple[str, ...]
    overrides: tuple[str, ...]
    unpriced: tuple[str, ...]
    resources: Mapping[str, int]


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
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{file}: not a template of this kit: {type(error).__name__}: {error}") from None


def _not_ours(file: Path) -> StackCost:
    raise UserError(f"{file}: the template has no {METADATA_KEY} metadata: it wasn't made by this kit")


def _read(template: dict[str, Any], figures: dict[str, Any]) -> StackCost:
    return StackCost(
        standing_usd=float(figures["StandingUsdPerMonth"]),
        drivers={name: float(usd) for name, usd in figures["StandingDrivers"].items()},
        run_low_usd=float(figures.get("RunLowUsd", figures["RunExpectedUsd"])),
        run_expected_usd=float(figures["RunExpectedUsd"]),
        run_ceiling_usd=float(figures["RunCeilingUsd"]),
        steps={name: _step(step) for name, step in figures["RunSteps"].items()},
        assumptions=tuple(figures["Assumptions"]),
        overrides=tuple(figures.get("Overrides", ())),
        unpriced=tuple(figures["UnpricedResourceTypes"]),
        resources=Counter(item["Type"] for item in template["Resources"].values()),
    )


def _step(step: Mapping[str, Any]) -> StepCost:
    known = step["UsdPerHour"] != "unknown"
    return StepCost(
        instance_type=step["InstanceType"],
        expected_hours=float(step["ExpectedHours"]),
        usd_per_hour=float(step["UsdPerHour"]) if known else None,
        paid_share=float(step.get("PaidShare", 1)),
        price_as_of=step["PriceAsOf"],
    )
