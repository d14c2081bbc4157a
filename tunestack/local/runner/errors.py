"""How the service refuses a call, and how a job fails."""


class ApiError(Exception):
    """A call that the service refuses, with the API's own error code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class JobFailure(Exception):
    """A job that failed; the text is its FailureReason."""


class MaxRuntimeExceeded(JobFailure):
    """A job that ran into its time limit."""

    def __init__(self) -> None:
        super().__init__("ClientError: the job ran into its MaxRuntimeInSeconds and was stopped")


class JobStopped(Exception):
    """A job that somebody stopped."""
