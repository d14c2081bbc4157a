"""What a report says, as plain values: every form of it shows the same figures."""

from collections.abc import Mapping
from dataclasses import dataclass

from tunestack.catalogue import find_instance
from tunestack.costs.stack_cost import StackCost
from tunestack.costs.workload import Workload
from tunestack.jobs import TRAIN
from tunestack.money import total_usd
from tunestack.planning import Plan, Planning, PlanRequest, make_plans
from tunestack.planning.blueprint import Blueprint
from tunestack.sizing.job.fine_tuning import FineTuning
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
    def month_usd(self) -> float | None:
        return total_usd(stack.standing_usd for stack in self.stacks.values())

    @property
    def run(self) -> StackCost:
        """The stack that starts the jobs."""
        return max(self.stacks.values(), key=lambda stack: len(stack.steps))

    def is_configured(self, plan: Plan) -> bool:
        """Whether a plan is what the settings say: the training's instance type, one of it."""
        training = self.run.steps.get(TRAIN.step)
        return training is not None and plan.candidate.count == 1 and plan.instance.name == training.instance_type

    @property
    def plans(self) -> tuple[Plan, ...]:
        """The plans with a known price, cheapest first."""
        return tuple(plan for plan in self.planning.plans if plan.usd is not None) if self.planning else ()


def _as_configured(workload: Workload) -> FineTuning:
    instance = find_instance(workload.settings.environment.jobs.train.instance_choices[0])
    return workload.job_on(instance.gpu if instance else None)


def make_report(blueprint: Blueprint, stacks: Mapping[str, StackCost]) -> Report:
    """The report of an environment, from its blueprint and its synthesized stacks' costs."""
    settings, workload = blueprint.settings, blueprint.workload
    architecture, job = workload.architecture, workload.job
    planning = None
    if architecture is not None:
        request = PlanRequest(
            architecture=architecture,
            job=job,
            tokens=round(workload.training_tokens),
            effective_batch=job.per_device_train_batch_size * job.gradient_accumulation_steps,
            region=workload.region,
            spot_savings=settings.environment.costs.spot_savings,
        )
        planning = make_plans(request)
    return Report(
        environment=settings.name,
        region=workload.region,
        model=settings.recipe.model.name_or_path,
        parameters=architecture.parameters if architecture else None,
        memory=training_memory(architecture, _as_configured(workload)) if architecture else None,
        planning=planning,
        stacks=stacks,
    )
