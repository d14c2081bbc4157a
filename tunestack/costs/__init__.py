"""What a stack costs by standing there, and what a run costs; from dated prices, with what is unknown named."""

from tunestack.costs.report import CostReport
from tunestack.costs.run import RunCost, run_cost
from tunestack.costs.standing import ResourceUse, StandingCost, standing_cost

__all__ = ["CostReport", "ResourceUse", "RunCost", "StandingCost", "run_cost", "standing_cost"]
