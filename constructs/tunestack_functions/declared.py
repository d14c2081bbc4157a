"""How a function declares what it is given and what it calls; boto3 isn't needed to read that."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

VARIABLE = "SETTINGS"


@dataclass(frozen=True, kw_only=True)
class FunctionSettings:
    """The base of a function's settings: one JSON object in one environment variable.

    What may be None has None for its default: CDK leaves it out of JSON.
    """

    @classmethod
    def read(cls) -> Self:
        """The settings of the function that runs."""
        return cls.parse(os.environ[VARIABLE])

    @classmethod
    def parse(cls, text: str) -> Self:
        """The settings that a variable's text holds."""
        return cls(**json.loads(text))

    def plain(self) -> dict[str, Any]:
        """What goes into the variable, as JSON."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class Here:
    """Where a function runs; in a template the values may be tokens."""

    partition: str
    region: str
    account: str

    def arn(self, service: str, resource: str) -> str:
        """The ARN of something of its own account and region."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"


@dataclass(frozen=True, kw_only=True)
class Call:
    """One operation of a boto3 client, and the ARN patterns that it is called on; `conditions` are IAM's."""

    client: str
    operation: str
    on: tuple[str, ...]
    conditions: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    # Where IAM's action isn't called as the operation is.
    named: str | None = None

    @property
    def action(self) -> str:
        """The IAM action: `batch_get_image` of ecr is `ecr:BatchGetImage`."""
        return f"{self.client}:{self.named or ''.join(word.capitalize() for word in self.operation.split('_'))}"
