"""The parts of an ARN that say whose something is."""

from typing import NamedTuple

_PARTS = 6


class Owner(NamedTuple):
    """The account and the region of a resource."""

    account: str
    region: str

    @classmethod
    def of(cls, arn: str) -> "Owner | None":
        """The owner by an ARN, or None where it says none: an S3 bucket's doesn't."""
        parts = arn.split(":", _PARTS - 1)
        if parts[0] != "arn" or len(parts) < _PARTS or not parts[4]:
            return None
        return cls(account=parts[4], region=parts[3])


def of_account(arn: str, account: str) -> str:
    """The ARN of what another account calls the same."""
    parts = arn.split(":", _PARTS - 1)
    return ":".join([*parts[:4], account, *parts[5:]]) if len(parts) == _PARTS else arn
