"""What one execution of the pipeline costs: each job's hours at its instance's price."""

from dataclasses import dataclass

from tunestack.catalogue import JobKind, Price, find_instance_price
from tunestack.catalogue.assumptions import SPOT_EXTRA_TIME, START_UP_HOURS
from tunestack.costs.job_hours import (
    Hours,
    architecture_of,
    evaluation_hours,
    packaging_hours,
    small_job_hours,
    training_hours,
    training_tokens,
)
from tunestack.settings import Settings
from tunestack.settings.environment import Job
from tunestack.sizing.model.architecture import Architecture


@dataclass(frozen=True, kw_only=True)
class JobCost:
    """One job of a run: where it runs, for how long, at what price; None where no price is known."""

    step: str
    instance_type: str
    price: Price | None
    low_hours: float
    expected_hours: float
    ceiling_hours: float
    # The share of the on-demand rate that is expected to be paid: 1, or less on spot.
    paid_share: float = 1.0

    @property
    def low_usd(self) -> float | None:
        return self.price.usd * self.low_hours * self.paid_share if self.price else None

    @property
    def expected_usd(self) -> float | None:
        return self.price.usd * self.expected_hours * self.paid_share if self.price else None

    @property
    def ceiling_usd(self) -> float | None:
        """At the on-demand rate, when the job runs into its time limit: what can't be exceeded."""
        return self.price.usd * self.ceiling_hours if self.price else None


@dataclass(frozen=True, kw_only=True)
class RunCost:
    """What a run costs: at best, expected, and at the most, when every job runs into its time limit."""

    jobs: tuple[JobCost, ...]
    assumptions: tuple[str, ...]

    @property
    def low_usd(self) -> float:
        return sum(job.low_usd or 0.0 for job in self.jobs)

    @property
    def expected_usd(self) -> float:
        return sum(job.expected_usd or 0.0 for job in self.jobs)

    @property
    def ceiling_usd(self) -> float:
        return sum(job.ceiling_usd or 0.0 for job in self.jobs)

    @property
    def expected_hours(self) -> float:
        """From the first job's request to the last one's end: the jobs run one after another."""
        return sum(job.expected_hours for job in self.jobs)

    @property
    def unpriced(self) -> tuple[str, ...]:
        """The instance types that no price is known for."""
        return tuple(sorted({job.instance_type for job in self.jobs if job.price is None}))


def run_cost(settings: Settings, architecture: Architecture | None = None) -> RunCost:
    """The cost of a run with the settings' defaults; `architecture`: of another model than the recipe's."""
    jobs, costs, region = settings.environment.jobs, settings.environment.costs, settings.environment.region
    architecture = architecture or architecture_of(settings)
    training = training_hours(settings, jobs.train.instance_type, architecture)
    evaluation = evaluation_hours(settings, jobs.evaluate.instance_type, architecture)
    share = 1 - costs.spot_savings if jobs.train.spot else 1.0
    if jobs.train.spot:
        training = training.plus(training.expected * SPOT_EXTRA_TIME)
    small = small_job_hours()
    return RunCost(
        jobs=(
            _cost("PrepareData", jobs.prepare, "processing", small, region),
            _cost("FineTune", jobs.train, "training", training, region, paid_share=share),
            _cost("EvaluateModels", jobs.evaluate, "processing", evaluation, region),
            _cost("PackageModel", jobs.registration, "processing", packaging_hours(architecture), region),
            _cost("BatchTransform", jobs.transform, "transform", small, region),
        ),
        assumptions=(
            f"{training_tokens(settings):,.0f} training tokens",
            f"{architecture.name}: {architecture.parameters:,} parameters"
            if architecture
            else "the model's size isn't known: name its config.json under costs.config_json",
            f"{START_UP_HOURS * 60:.0f} minutes to start a job, billed",
            f"spot: {costs.spot_savings:.0%} saved, {SPOT_EXTRA_TIME:.0%} more time"
            if jobs.train.spot
            else "on-demand prices",
        ),
    )


def _cost(step: str, job: Job, kind: JobKind, hours: Hours, region: str, *, paid_share: float = 1.0) -> JobCost:
    ceiling = job.max_runtime_minutes / 60
    return JobCost(
        step=step,
        instance_type=job.instance_type,
        price=find_instance_price(job.instance_type, kind, region=region),
        low_hours=min(hours.low, ceiling),
        expected_hours=min(hours.expected, ceiling),
        ceiling_hours=ceiling,
        paid_share=paid_share,
    )
