"""What a report says, as plain values: every form of it shows the same figures."""

from collections.abc import Mapping
from dataclasses import dataclass

from tunestack.costs.assembly import StackCost
from tunestack.costs.job_hours import architecture_of, training_tokens
from tunestack.planning import Plan, Planning, PlanRequest, make_plans
from tunestack.planning.auto import resolve_auto
from tunestack.settings import Settings
from tunestack.sizing.job.recipe_job import job_of_recipe
from tunestack.sizing.memory.estimate import MemoryEstimate
from tunestack.sizing.memory.training_memory import training_memory


@dataclass(frozen=True, kw_only=True)
class Report:
    """Memory of the training as the recipe has it, the plans for it, each stack's costs; None without a known model."""

    environment: str
    region: str
    model: str
    parameters: int | None
    memory: MemoryEstimate | None
    planning: Planning | None
    stacks: Mapping[str, StackCost]

    @property
    def month_usd(self) -> float:
        return sum(stack.standing_usd for stack in self.stacks.values())

    @property
    def run(self) -> StackCost:
        """The stack that starts the jobs."""
        return max(self.stacks.values(), key=lambda stack: len(stack.steps))

    @property
    def plans(self) -> tuple[Plan, ...]:
        """The plans with a known price, cheapest first."""
        return tuple(plan for plan in self.planning.plans if plan.usd is not None) if self.planning else ()


def make_report(settings: Settings, stacks: Mapping[str, StackCost]) -> Report:
    """The report of an environment, from its settings and its synthesized stacks' costs."""
    settings = resolve_auto(settings)
    architecture, job = architecture_of(settings), job_of_recipe(settings.recipe)
    planning = None
    if architecture is not None:
        request = PlanRequest(
            architecture=architecture,
            job=job,
            tokens=round(training_tokens(settings)),
            effective_batch=job.micro_batch * job.gradient_accumulation,
            region=settings.environment.region,
            spot_savings=settings.environment.costs.spot_savings,
        )
        planning = make_plans(request)
    return Report(
        environment=settings.name,
        region=settings.environment.region,
        model=settings.recipe["model"]["name_or_path"],
        parameters=architecture.parameters if architecture else None,
        memory=training_memory(architecture, job) if architecture else None,
        planning=planning,
        stacks=stacks,
    )
