"""GovCloud: no ARN of another partition, and everybody reaches what he needs there. China, which lacks a type."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import Validations
from tunestack_cdk.permission_checks import PermissionChecks
from tunestack_cdk.rule_pack import TunestackChecks

from tests.three_accounts import add, app_in
from tunestack.permissions.world import World
from tunestack.planning.blueprint import blueprint_of
from tunestack.settings.loading import Settings, load_settings


def settings_in(region: str, **more: Any) -> Settings:
    settings = load_settings("staging")
    environment = settings.environment.model_copy(update={"region": region, "account": "222222222222"})
    return replace(settings, environment=environment, **more)


def synthesized(region: str, folder: Path) -> Path:
    app = app_in(folder)
    settings = settings_in(region)
    # No price ships for these regions: that is said, and no budget could be kept.
    assert blueprint_of(settings).run.expected_usd is None
    add(app, settings)
    Validations.of(app).add_plugins(TunestackChecks(), PermissionChecks())
    return Path(app.synth().directory)


def test_in_govcloud_the_stacks_name_nothing_of_another_partition(tmp_path: Path) -> None:
    folder = synthesized("us-gov-west-1", tmp_path)
    lines = [
        line.strip()
        for file in folder.glob("*.template.json")
        for line in json.dumps(json.loads(file.read_text()), indent=0).splitlines()
    ]
    assert len(lines) > 1000 and [line for line in lines if "arn:aws:" in line] == []
    assert all(arn.startswith("arn:aws-us-gov:") for arn in World.read([folder]).roles)


@pytest.mark.parametrize("region", ["cn-north-1", "cn-northwest-1"])
def test_china_lacks_the_registry_and_that_is_said_at_synthesis(region: str, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=f"'AWS::SageMaker::ModelPackageGroup' does not exist in '{region}'"):
        synthesized(region, tmp_path)
