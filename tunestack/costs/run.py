"""What one execution of the pipeline costs: each job's hours at its instance's price."""

from dataclasses import dataclass

from tunestack.catalogue import JobKind, Price, find_instance, find_instance_price
from tunestack.catalogue.instances import table_rows
from tunestack.settings import Settings
from tunestack.settings.environment import Job
from tunestack.sizing import rules_of_thumb

# From request to the first line of our log, image pull included; billed.
START_UP_HOURS = 5 / 60
# What the small jobs take beyond their start, for a data set of some thousand rows.
SMALL_JOB_HOURS = 5 / 60


@dataclass(frozen=True, kw_only=True)
class JobCost:
    """One job of a run: where it runs, for how long, at what price; None where no price is known."""

    step: str
    instance_type: str
    price: Price | None
    expected_hours: float
    ceiling_hours: float

    @property
    def expected_usd(self) -> float | None:
        return self.price.usd * self.expected_hours if self.price else None

    @property
    def ceiling_usd(self) -> float | None:
        return self.price.usd * self.ceiling_hours if self.price else None


@dataclass(frozen=True, kw_only=True)
class RunCost:
    """What a run costs: expected, and at the most, when every job runs into its time limit."""

    jobs: tuple[JobCost, ...]
    assumptions: tuple[str, ...]

    @property
    def expected_usd(self) -> float:
        return sum(job.expected_usd or 0.0 for job in self.jobs)

    @property
    def ceiling_usd(self) -> float:
        return sum(job.ceiling_usd or 0.0 for job in self.jobs)

    @property
    def unpriced(self) -> tuple[str, ...]:
        """The instance types that no price is known for."""
        return tuple(sorted({job.instance_type for job in self.jobs if job.price is None}))


def run_cost(settings: Settings) -> RunCost:
    """The cost of a run with the settings' defaults, by the rules of thumb. On-demand prices."""
    jobs, costs = settings.environment.jobs, settings.environment.costs
    region = settings.environment.region
    model = settings.recipe["model"]["name_or_path"]
    epochs = settings.recipe["training"]["num_train_epochs"]
    parameters = rules_of_thumb.parameters_from_name(model)
    hours = _training_hours(jobs.train.instance_type, parameters, costs.training_tokens * epochs)
    return RunCost(
        jobs=(
            _cost("PrepareData", jobs.prepare, "processing", SMALL_JOB_HOURS, region),
            _cost("FineTune", jobs.train, "training", hours, region),
            _cost("EvaluateModels", jobs.evaluate, "processing", SMALL_JOB_HOURS, region),
            _cost("PackageModel", jobs.registration, "processing", SMALL_JOB_HOURS, region),
            _cost("BatchTransform", jobs.transform, "transform", SMALL_JOB_HOURS, region),
        ),
        assumptions=(
            f"{costs.training_tokens:,} training tokens, {epochs:g} epochs",
            f"{parameters:,.0f} parameters (from the model's name)" if parameters else "model size unknown",
            f"{rules_of_thumb.MODEL_FLOPS_UTILISATION:.0%} of the GPU's bf16 peak",
            f"{START_UP_HOURS * 60:.0f} minutes to start a job, on-demand prices",
        ),
    )


def _training_hours(instance_type: str, parameters: float | None, tokens: float) -> float:
    instance, tflops = find_instance(instance_type), _gpu_tflops(instance_type)
    if parameters is None or instance is None or not instance.gpus or tflops is None:
        return SMALL_JOB_HOURS
    return rules_of_thumb.training_hours(parameters=parameters, tokens=tokens, gpus=instance.gpus, gpu_tflops=tflops)


def _gpu_tflops(instance_type: str) -> float | None:
    found = (row["gpu_bf16_tflops_dense"] for row in table_rows() if row["instance_type"] == instance_type)
    return next((float(value) for value in found if value), None)


def _cost(step: str, job: Job, kind: JobKind, hours: float, region: str) -> JobCost:
    ceiling = job.max_runtime_minutes / 60
    return JobCost(
        step=step,
        instance_type=job.instance_type,
        price=find_instance_price(job.instance_type, kind, region=region),
        expected_hours=min(hours + START_UP_HOURS, ceiling),
        ceiling_hours=ceiling,
    )
