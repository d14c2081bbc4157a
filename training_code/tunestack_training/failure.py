"""How a job ends badly."""


class JobError(Exception):
    """Something that the user can fix: what is wrong, where, and what would be right."""


class Stopped(Exception):
    """The job was told to stop (SIGTERM) and has kept what it could."""


class UnusableError(ValueError):
    """Messages, or a row, that can't be used as they are; the text says why."""
