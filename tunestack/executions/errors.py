"""What a user asked for and can't have."""


class ExecutionError(Exception):
    """The text says what is wrong and what would be right."""
