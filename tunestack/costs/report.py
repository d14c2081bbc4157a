"""A stack's costs as they are shown: one form for annotation, metadata, output and report."""

from dataclasses import dataclass
from typing import Any

from tunestack.costs.run import RunCost
from tunestack.costs.standing import StandingCost


@dataclass(frozen=True, kw_only=True)
class CostReport:
    """What a stack costs by standing there and, where it starts jobs, by each run."""

    standing: StandingCost
    run: RunCost | None = None
    # Gates that were let pass by `-c allow=…`, a line each.
    overrides: tuple[str, ...] = ()

    def line(self) -> str:
        """One line for a person."""
        parts = [f"standing cost ${self.standing.usd_per_month:,.2f} a month"]
        if self.run:
            bounds = f"${self.run.low_usd:,.2f} to at most ${self.run.ceiling_usd:,.2f}"
            parts.append(f"a run ${self.run.expected_usd:,.2f} ({bounds})")
        else:
            parts.append("a run $0.00")
        unpriced = (*self.standing.unpriced, *(self.run.unpriced if self.run else ()))
        if unpriced:
            parts.append(f"without a known price: {', '.join(unpriced)}")
        return "; ".join([*parts, *self.overrides])

    def metadata(self) -> dict[str, Any]:
        """The same figures, with what they are made of, as JSON; decimals as text, as CloudFormation wants them."""
        run = self.run
        return {
            "StandingUsdPerMonth": f"{self.standing.usd_per_month:.2f}",
            "StandingDrivers": {name: f"{usd:.2f}" for name, usd in self.standing.drivers.items()},
            "UnpricedResourceTypes": list(self.standing.unpriced),
            "RunLowUsd": f"{run.low_usd if run else 0:.2f}",
            "RunExpectedUsd": f"{run.expected_usd if run else 0:.2f}",
            "RunCeilingUsd": f"{run.ceiling_usd if run else 0:.2f}",
            "RunSteps": {
                job.step: {
                    "InstanceType": job.instance_type,
                    "UsdPerHour": str(job.price.usd) if job.price else "unknown",
                    "PriceAsOf": job.price.as_of if job.price else "unknown",
                    "PriceIsList": bool(job.price and not job.price.exact),
                    "PaidShare": f"{job.paid_share:.2f}",
                    "LowHours": f"{job.low_hours:.3f}",
                    "ExpectedHours": f"{job.expected_hours:.3f}",
                    "CeilingHours": f"{job.ceiling_hours:.3f}",
                }
                for job in (run.jobs if run else ())
            },
            "Assumptions": list(run.assumptions) if run else [],
            "Overrides": list(self.overrides),
        }
