"""No secrets in a definition: DescribePipeline and every Describe call of its jobs return them in clear."""

import re
from typing import Any

from tunestack.definition.checks.subject import Problems, Subject

KINDS: frozenset[str] | None = None
_TELLING_NAME = re.compile(
    r"(?i)(^|[_.\-])(password|passwd|secret|api_?key|access_?key|private_?key|auth_?token|hf_?token|token)$"
)
_TELLING_VALUE = re.compile(
    r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\bhf_[A-Za-z0-9]{30,}|\bgh[pousr]_[A-Za-z0-9]{30,}|\bsk-[A-Za-z0-9_\-]{20,}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----"
)
_SECRET_ARN = re.compile(r"arn:[^:]*:(secretsmanager|ssm):")


def check(subject: Subject) -> Problems:
    yield from _search(subject.arguments, "")


def _search(arguments: Any, where: str) -> Problems:
    """Environment values and hyperparameters named or shaped like secrets."""
    if isinstance(arguments, dict):
        for key, value in arguments.items():
            place = f"{where}.{key}" if where else str(key)
            in_container = where.endswith(("Environment", "HyperParameters"))
            if in_container and _TELLING_NAME.search(key) and not _is_secret_arn(value):
                yield place, "looks like a secret, and everybody who may describe the job reads it; give a secret's ARN"
            else:
                yield from _search(value, place)
    elif isinstance(arguments, list):
        for index, value in enumerate(arguments):
            yield from _search(value, f"{where}[{index}]")
    elif isinstance(arguments, str) and (found := _TELLING_VALUE.search(arguments)):
        yield where, f"holds what looks like a credential ({found.group()[:4]}…); give a secret's ARN"


def _is_secret_arn(value: Any) -> bool:
    return isinstance(value, str) and bool(_SECRET_ARN.match(value))
