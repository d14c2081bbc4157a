"""A stack's costs as they are shown: one form for annotation, metadata, output and report."""

from dataclasses import dataclass

from tunestack.costs.run import JobCost, RunCost
from tunestack.costs.stack_cost import UNKNOWN, StackCost, StepCost
from tunestack.costs.standing import StandingCost
from tunestack.money import usd


@dataclass(frozen=True, kw_only=True)
class CostReport:
    """What a stack costs by standing there and, where it starts jobs, by each run."""

    standing: StandingCost
    run: RunCost | None = None
    # Checks that `-c allow=…` waived, a line each.
    waived: tuple[str, ...] = ()

    def line(self) -> str:
        """One line for a person."""
        parts = [f"standing cost {usd(self.standing.usd_per_month)} a month"]
        if self.run:
            bounds = f"{usd(self.run.low_usd)} to at most {usd(self.run.ceiling_usd)}"
            parts.append(f"a run {usd(self.run.expected_usd)} ({bounds})")
        else:
            parts.append(f"a run {usd(0)}")
        unpriced = (*self.standing.unpriced, *(self.run.unpriced if self.run else ()))
        if unpriced:
            parts.append(f"without a known price: {', '.join(unpriced)}")
        return "; ".join([*parts, *self.waived])

    def figures(self) -> StackCost:
        """The same figures, with what they are made of."""
        run = self.run
        return StackCost(
            standing_usd=self.standing.usd_per_month,
            drivers=self.standing.drivers,
            unpriced=self.standing.unpriced,
            run_low_usd=run.low_usd if run else 0,
            run_expected_usd=run.expected_usd if run else 0,
            run_ceiling_usd=run.ceiling_usd if run else 0,
            steps={job.step: _step(job) for job in (run.jobs if run else ())},
            assumptions=run.assumptions if run else (),
            waived=self.waived,
        )


def _step(job: JobCost) -> StepCost:
    return StepCost(
        instance_type=job.instance_type,
        usd_per_hour=job.price.usd if job.price else None,
        price_as_of=job.price.as_of if job.price else UNKNOWN,
        price_is_list=bool(job.price and not job.price.exact),
        paid_share=job.paid_share,
        low_hours=job.low_hours,
        expected_hours=job.expected_hours,
        ceiling_hours=job.ceiling_hours,
    )
