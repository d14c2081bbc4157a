"""Everything that can be checked of a definition before it costs anything."""

from tunestack.definition.finding import Finding
from tunestack.definition.validation import validate

__all__ = ["Finding", "validate"]
