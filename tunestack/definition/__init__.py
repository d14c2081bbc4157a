"""Reads any pipeline definition: its expressions, its graph, its jobs, and everything that can be checked of it."""

from tunestack.definition.finding import Finding, Level
from tunestack.definition.validation import refused, validate, with_values

__all__ = ["Finding", "Level", "refused", "validate", "with_values"]
