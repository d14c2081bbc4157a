"""Imports that ministack lacks: of repositories and model package groups, which outlive staging's and prod's stacks."""

from collections.abc import Callable
from typing import Any

from tunestack.local.cloudformation.existing_names import repository_exists
from tunestack.local.emulator.caller import Service

Identifier = dict[str, str]
_NOT_FOUND = "Resource of type '{kind}' with identifier '{value}' was not found."


def allow_imports(table: dict[str, dict[str, Any]], service: Service) -> None:
    """Let `cdk import` take in both types, each by what CloudFormation identifies it with."""

    def group_exists(arn: str) -> bool:
        return service.exists("DescribeModelPackageGroup", ModelPackageGroupName=arn)

    _allow(table, "AWS::ECR::Repository", "RepositoryName", repository_exists, _repository)
    _allow(table, "AWS::SageMaker::ModelPackageGroup", "ModelPackageGroupArn", group_exists, _group)


def _allow(
    table: dict[str, dict[str, Any]],
    kind: str,
    key: str,
    exists: Callable[[str], bool],
    importer: Callable[[Identifier], Any],
) -> None:
    from ministack.services.cloudformation import changesets

    def problem(value: str) -> str | None:
        return None if exists(value) else _NOT_FOUND.format(kind=kind, value=value)

    changesets._IMPORT_LOOKUPS[kind] = ((key,), problem)
    table[kind]["import"] = importer


def _repository(identifier: Identifier) -> Any:
    from ministack.services import ecr

    found = ecr._repositories[identifier["RepositoryName"]]
    return identifier["RepositoryName"], {"Arn": found["repositoryArn"], "RepositoryUri": found["repositoryUri"]}


def _group(identifier: Identifier) -> Any:
    arn = identifier["ModelPackageGroupArn"]
    return arn, {"ModelPackageGroupArn": arn, "ModelPackageGroupStatus": "Completed"}
