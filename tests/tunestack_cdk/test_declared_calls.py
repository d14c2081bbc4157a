"""What a function declares to call is what it calls: a call that nobody declared has no grant, and fails here first."""

import ast
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import botocore.session
import pytest
import tunestack_functions
from botocore import xform_name
from tunestack_functions import copying, image_build, job_logs, promote
from tunestack_functions.declared import Call, Here

from tests.conftest import ACCOUNTS
from tunestack.template.values import as_list

HERE = Here(partition="aws", region="us-east-1", account="000000000000")
KEY = "arn:aws:kms:us-east-1:000000000000:key/k"
# Each function with all that its settings can switch on.
SETTINGS = {
    image_build: image_build.Settings(project_name="project", repository_name="kit", key_arn=KEY),
    job_logs: job_logs.Settings(log_group_names=["/aws/sagemaker/TrainingJobs"], retention_days=30, key_arn=KEY),
    promote: promote.Settings(
        pipeline="promotion", group="models", source_versions=HERE.arn("sagemaker", "model-package/theirs/*"),
        source_version_key="source_version_arn", signed_images=True, signers=[], max_critical_findings=0, bucket="target",
        origin_repositories=["111111111111.dkr.ecr.us-east-1.amazonaws.com/theirs"], prefix="promoted", key_arn=KEY,
        shared=[], copied={}, digests={},
    ),
}  # fmt: skip


def tree_of(module: str) -> ast.Module:
    file = import_module(module).__file__
    assert file is not None
    return ast.parse(Path(file).read_text(encoding="utf-8"))


def modules_of(module: str) -> set[str]:
    """A function's module and those of the package that it imports, however far."""
    found, left = set[str](), [module]
    while left:
        name = left.pop()
        if name not in found and name.startswith(f"{tunestack_functions.__name__}."):
            found.add(name)
            left += [
                node.module for node in ast.walk(tree_of(name)) if isinstance(node, ast.ImportFrom) and node.module
            ]
    return found


def called(module: str, operations: set[str]) -> Iterator[str]:
    """The operations of AWS that a module's code names: as methods, or as a paginator's."""
    for node in ast.walk(tree_of(module)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            names = [node.func.attr, *(a.value for a in node.args if isinstance(a, ast.Constant))]
            yield from (str(name) for name in names if name in operations)


def clients(module: str) -> Iterator[str]:
    for node in ast.walk(tree_of(module)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "client":
            assert isinstance(node.args[0], ast.Constant)
            yield str(node.args[0].value)


def operations_of(services: set[str]) -> set[str]:
    session = botocore.session.get_session()
    return {xform_name(name) for service in services for name in session.get_service_model(service).operation_names}


def undeclared(function: Any, settings: Any) -> set[str]:
    """The operations that a function's code calls and its declaration doesn't have, or the other way round."""
    modules = modules_of(function.__name__)
    services = {service for module in modules for service in clients(module)}
    declared: list[Call] = list(function.calls(settings, HERE))
    by_place = set(copying.OPERATIONS) if copying.__name__ in modules else set[str]()
    assert services == {call.client for call in declared}, services
    names = {name for module in modules for name in called(module, operations_of(services))}
    return names ^ ({call.operation for call in declared} | by_place)


def test_each_function_of_the_package_is_looked_at() -> None:
    names = [f"{tunestack_functions.__name__}.{item.name}" for item in iter_modules(tunestack_functions.__path__)]
    assert {name for name in names if hasattr(import_module(name), "handler")} == {item.__name__ for item in SETTINGS}


@pytest.mark.parametrize("function", SETTINGS, ids=lambda function: function.__name__)
def test_what_a_function_calls_is_what_it_declares(function: Any) -> None:
    assert undeclared(function, SETTINGS[function]) == set()


def test_what_is_called_by_place_is_what_the_role_of_the_promotion_has(assembly: Any) -> None:
    templates = assembly(ACCOUNTS).templates
    resources = templates["tunestack-staging-promotion"]["Resources"]
    granted = [
        action
        for name, item in resources.items()
        if item["Type"] == "AWS::IAM::Policy" and "PromoteRole" in name
        for statement in item["Properties"]["PolicyDocument"]["Statement"]
        for action in as_list(statement["Action"])
    ]
    wanted = {action for actions in copying.OPERATIONS.values() for action in actions}
    assert [action for action in wanted if action not in granted] == []
