"""A name that is taken fails the deployment, as on AWS: ministack would take the resource over, or write over it."""

from collections.abc import Callable
from typing import Any

Properties = dict[str, Any]


def refuse_existing_names(table: dict[str, dict[str, Any]]) -> None:
    """Have the types whose names people choose look whether theirs is free."""
    for kind, (name, exists) in _NAMED.items():
        table[kind]["create"] = _refusing(table[kind]["create"], kind, name, exists)


def _refusing(create: Callable[..., Any], kind: str, name: str, exists: Callable[[str], bool]) -> Callable[..., Any]:
    def refused_or_created(logical_id: str, properties: Properties, stack: str) -> Any:
        chosen = properties.get(name)
        if chosen and exists(chosen):
            raise ValueError(f"Resource of type '{kind}' with identifier '{chosen}' already exists.")
        return create(logical_id, properties, stack)

    return refused_or_created


def _alias(name: str) -> bool:
    from ministack.services import kms

    return kms._alias_arn(name) in kms._aliases


def repository_exists(name: str) -> bool:
    """Whether ECR has a repository of this name."""
    from ministack.services import ecr

    return name in ecr._repositories


def _log_group(name: str) -> bool:
    from ministack.services import cloudwatch_logs

    return name in cloudwatch_logs._log_groups


_NAMED: dict[str, tuple[str, Callable[[str], bool]]] = {
    "AWS::ECR::Repository": ("RepositoryName", repository_exists),
    "AWS::KMS::Alias": ("AliasName", _alias),
    "AWS::Logs::LogGroup": ("LogGroupName", _log_group),
}
