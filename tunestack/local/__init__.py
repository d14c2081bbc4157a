"""An AWS on this machine: the emulator, and the runner of deployed pipeline definitions."""

from tunestack.local.address import LOCAL_ENVIRONMENT, LocalAws, local_aws

__all__ = ["LOCAL_ENVIRONMENT", "LocalAws", "local_aws"]
