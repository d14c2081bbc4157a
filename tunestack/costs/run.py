"""What one execution of the pipeline costs: each job's hours at its instance's price."""

from collections.abc import Iterable
from dataclasses import dataclass

from tunestack.catalogue import Price, find_instance_price
from tunestack.catalogue.assumptions import SPOT_EXTRA_TIME, START_UP_HOURS
from tunestack.costs.job_hours import hours_of
from tunestack.costs.workload import Workload
from tunestack.definition.jobs import DefinedJob
from tunestack.money import total_usd
from tunestack.sizing.calibrated import calibration_notes


@dataclass(frozen=True, kw_only=True)
class JobCost:
    """One job of a run: where it runs, for how long, at what price; None where that isn't known.

    Of a model that nobody knows the hours aren't, but for the most that the job may take.
    """

    step: str
    instance_type: str
    price: Price | None
    low_hours: float | None
    expected_hours: float | None
    ceiling_hours: float
    # The share of the on-demand rate that is expected to be paid: 1, or less on spot.
    paid_share: float = 1.0

    @property
    def low_usd(self) -> float | None:
        return self._usd(self.low_hours)

    @property
    def expected_usd(self) -> float | None:
        return self._usd(self.expected_hours)

    @property
    def ceiling_usd(self) -> float | None:
        """At the on-demand rate, when the job runs into its time limit: what can't be exceeded."""
        return self.price.usd * self.ceiling_hours if self.price else None

    def _usd(self, hours: float | None) -> float | None:
        return self.price.usd * hours * self.paid_share if self.price and hours is not None else None


@dataclass(frozen=True, kw_only=True)
class RunCost:
    """What a run costs: at best, expected, and at the most, when every job runs into its time limit.

    Dollars are None where a job has no known price, or nobody knows how long it takes.
    """

    jobs: tuple[JobCost, ...]
    assumptions: tuple[str, ...]

    @property
    def low_usd(self) -> float | None:
        return total_usd(job.low_usd for job in self.jobs)

    @property
    def expected_usd(self) -> float | None:
        return total_usd(job.expected_usd for job in self.jobs)

    @property
    def ceiling_usd(self) -> float | None:
        return total_usd(job.ceiling_usd for job in self.jobs)

    @property
    def unpriced(self) -> tuple[str, ...]:
        """The instance types that no price is known for."""
        return tuple(sorted({job.instance_type for job in self.jobs if job.price is None}))


def run_cost(defined: Iterable[DefinedJob], workload: Workload) -> RunCost:
    """The cost of a run of the jobs that a definition starts."""
    jobs = tuple(_cost(job, workload) for job in defined)
    architecture, savings = workload.architecture, workload.settings.environment.costs.spot_savings
    return RunCost(
        jobs=jobs,
        assumptions=(
            f"{workload.training_tokens:,.0f} training tokens",
            f"{architecture.name}: {architecture.parameters:,} parameters"
            if architecture
            else "the model's size isn't known, and so neither hours nor dollars: name its config.json under "
            "costs.config_json",
            f"{START_UP_HOURS * 60:.0f} minutes to start a job, billed",
            f"spot: {savings:.0%} saved, {SPOT_EXTRA_TIME:.0%} more time"
            if any(job.paid_share < 1 for job in jobs)
            else "on-demand prices",
            *(line for name in sorted({job.instance_type for job in jobs}) for line in calibration_notes(name)),
        ),
    )


def _cost(defined: DefinedJob, workload: Workload) -> JobCost:
    hours, ceiling = hours_of(defined.job.hours, workload, defined.instance_type), defined.max_runtime_seconds / 3600
    paid_share = 1.0
    if defined.spot:
        hours = hours and hours.plus(hours.expected * SPOT_EXTRA_TIME)
        paid_share -= workload.settings.environment.costs.spot_savings
    return JobCost(
        step=defined.step,
        instance_type=defined.instance_type,
        price=find_instance_price(defined.instance_type, defined.job.api.kind, region=workload.region),
        low_hours=min(hours.low, ceiling) if hours else None,
        expected_hours=min(hours.expected, ceiling) if hours else None,
        ceiling_hours=ceiling,
        paid_share=paid_share,
    )
