"""A definition must not hold a secret: DescribePipeline and its jobs' Describe calls return it in clear."""

import re
from typing import Any

from tunestack.definition.credentials import credential_in, names_a_secret
from tunestack.definition.subject import Problems, Subject

KINDS: frozenset[str] | None = None
_SECRET_ARN = re.compile(r"arn:[^:]*:(secretsmanager|ssm):")


def check(subject: Subject) -> Problems:
    yield from _search(subject.arguments, "")


def _search(arguments: Any, where: str) -> Problems:
    """Environment values and hyperparameters named or shaped like secrets."""
    if isinstance(arguments, dict):
        for key, value in arguments.items():
            place = f"{where}.{key}" if where else str(key)
            in_container = where.endswith(("Environment", "HyperParameters"))
            if in_container and names_a_secret(key) and not _is_secret_arn(value):
                yield place, "looks like a secret, and everybody who may describe the job reads it; give a secret's ARN"
            else:
                yield from _search(value, place)
    elif isinstance(arguments, list):
        for index, value in enumerate(arguments):
            yield from _search(value, f"{where}[{index}]")
    elif isinstance(arguments, str) and (found := credential_in(arguments)):
        yield where, f"holds what looks like a credential ({found[:4]}…); give a secret's ARN"


def _is_secret_arn(value: Any) -> bool:
    return isinstance(value, str) and bool(_SECRET_ARN.match(value))
