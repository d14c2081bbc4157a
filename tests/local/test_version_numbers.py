"""Registered versions keep their numbers: one that is deleted leaves a gap, and nothing takes its place."""

from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tunestack.local.emulator.moto_sagemaker import MotoSageMaker

PLACE = {"account": "777777777777", "region": "us-east-1"}


@pytest.fixture
def registry(tmp_path: Path) -> MotoSageMaker:
    made = MotoSageMaker(tmp_path / "state.pickle")
    # moto keeps one state a process.
    made.forget_group("models", **PLACE)
    made.call("CreateModelPackageGroup", **PLACE, ModelPackageGroupName="models")
    return made


def register(registry: MotoSageMaker) -> str:
    made = registry.call("CreateModelPackage", **PLACE, ModelPackageGroupName="models")
    return str(made["ModelPackageArn"])


def numbers(registry: MotoSageMaker) -> list[Any]:
    found = registry.call("ListModelPackages", **PLACE, ModelPackageGroupName="models")
    return sorted(item["ModelPackageVersion"] for item in found["ModelPackageSummaryList"])


def test_numbers_go_on_after_a_deletion(registry: MotoSageMaker) -> None:
    arns = [register(registry) for _ in range(3)]
    registry.forget_version(arns[1], **PLACE)
    assert numbers(registry) == [1, 3]
    with pytest.raises(ClientError, match="not found"):
        registry.call("DescribeModelPackage", **PLACE, ModelPackageName=arns[1])
    assert register(registry).endswith("/4") and numbers(registry) == [1, 3, 4]
    for arn in (arns[0], arns[2], arns[2].removesuffix("3") + "4"):
        registry.forget_version(arn, **PLACE)
    assert numbers(registry) == [] and register(registry).endswith("/5")


def test_a_group_that_is_made_anew_begins_with_one(registry: MotoSageMaker) -> None:
    arn = register(registry)
    registry.forget_version(arn, **PLACE)
    registry.forget_group("models", **PLACE)
    registry.call("CreateModelPackageGroup", **PLACE, ModelPackageGroupName="models")
    assert register(registry).endswith("/1")


def test_numbers_go_on_after_a_restart(registry: MotoSageMaker, tmp_path: Path) -> None:
    registry.forget_version(register(registry), **PLACE)
    again = MotoSageMaker(tmp_path / "state.pickle")
    assert register(again).endswith("/2")
