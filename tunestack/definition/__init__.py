"""Reads any pipeline definition: its expressions, its graph, its jobs, and everything that can be checked of it."""

from tunestack.definition.finding import Finding
from tunestack.definition.validation import validate, with_values

__all__ = ["Finding", "validate", "with_values"]
