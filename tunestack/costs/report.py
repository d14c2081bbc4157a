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

    def line(self) -> str:
        """One line for a person."""
        parts = [f"standing cost ${self.standing.usd_per_month:,.2f} a month"]
        if self.run:
            parts.append(f"a run ${self.run.expected_usd:,.2f} (at most ${self.run.ceiling_usd:,.2f})")
        else:
            parts.append("a run $0.00")
        unpriced = (*self.standing.unpriced, *(self.run.unpriced if self.run else ()))
        if unpriced:
            parts.append(f"without a known price: {', '.join(unpriced)}")
        return "; ".join(parts)

    def metadata(self) -> dict[str, Any]:
        """The same figures, with what they are made of, as JSON."""
        run = self.run
        return {
            "StandingUsdPerMonth": round(self.standing.usd_per_month, 2),
            "StandingDrivers": {name: round(usd, 2) for name, usd in self.standing.drivers.items()},
            "UnpricedResourceTypes": list(self.standing.unpriced),
            "RunExpectedUsd": round(run.expected_usd, 2) if run else 0.0,
            "RunCeilingUsd": round(run.ceiling_usd, 2) if run else 0.0,
            "RunSteps": {
                job.step: {
                    "InstanceType": job.instance_type,
                    "UsdPerHour": job.price.usd if job.price else None,
                    "PriceAsOf": job.price.as_of if job.price else None,
                    "PriceIsList": not job.price.exact if job.price else None,
                    "ExpectedHours": round(job.expected_hours, 3),
                    "CeilingHours": round(job.ceiling_hours, 3),
                }
                for job in (run.jobs if run else ())
            },
            "Assumptions": list(run.assumptions) if run else [],
        }
