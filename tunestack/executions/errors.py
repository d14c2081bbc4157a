"""What a user asked for and can't have."""

from tunestack.errors import UserError


class ExecutionError(UserError):
    """The text says what is wrong and what would be right."""
