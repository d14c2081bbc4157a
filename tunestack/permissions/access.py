"""One access that somebody needs, and one that is refused."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tunestack.template.assembly import Stack


@dataclass(frozen=True, kw_only=True)
class Access:
    """What somebody needs: an action on a resource, under condition keys; `by` says who does what for it.

    `principal` is a role's ARN, or a service's name.
    """

    by: str
    principal: str
    action: str
    resource: str
    context: Mapping[str, Any] = field(default_factory=dict)
    through: tuple[Stack, str] | None = None
    """The VPC endpoint that it passes: its stack and its logical id."""

    def __str__(self) -> str:
        return f"{self.by}: {self.action} on {self.resource}"


@dataclass(frozen=True, kw_only=True)
class Broken:
    """An access that is refused, and by what."""

    access: Access
    stack: str
    reason: str

    def __str__(self) -> str:
        return f"{self.access}: {self.reason}"
