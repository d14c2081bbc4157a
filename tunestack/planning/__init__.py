"""Sizing and costs → ranked plans: where a job fits, how long it takes, what it costs, which quota it needs."""

from tunestack.planning.plan import Plan, Planning, Refusal, make_plans
from tunestack.planning.request import PlanRequest
from tunestack.sizing.model.model_source import find_model

__all__ = ["Plan", "PlanRequest", "Planning", "Refusal", "find_model", "make_plans"]
