"""A job must run in the VPC where another job of the definition runs, or the one that the account has for jobs."""

from collections.abc import Mapping
from typing import Any

from tunestack.definition.subject import MODEL, PROCESSING, TRAINING, Problems, Subject

KINDS = frozenset({PROCESSING, TRAINING, MODEL})


def check(subject: Subject) -> Problems:
    if not subject.around.vpc_expected or _vpc(subject.kind, subject.arguments):
        return
    where = "NetworkConfig.VpcConfig" if subject.kind == PROCESSING else "VpcConfig"
    yield where, "missing: this job would run outside the VPC"


def _vpc(kind: str, arguments: Mapping[str, Any]) -> Any:
    return (arguments.get("NetworkConfig") or {} if kind == PROCESSING else arguments).get("VpcConfig")
