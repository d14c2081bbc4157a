"""Everything that can be checked of a definition before it costs anything."""

from tunestack.pipeline.validation.definition import validate
from tunestack.pipeline.validation.finding import Finding

__all__ = ["Finding", "validate"]
