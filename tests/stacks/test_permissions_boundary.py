"""An environment's permissions boundary binds every role of every stack, those that CDK makes by itself too."""

import json
from pathlib import Path
from typing import Any

from aws_cdk import App, Stack
from aws_cdk.assertions import Template
from tunestack_cdk.synthesis_checks import add_checks

from stacks.environment import add_environment
from tests.changed_settings import changed_blueprint
from tests.conftest import ROOT
from tests.three_accounts import add, app_in, config_of, settings_of
from tunestack.template.assembly import Assembly


def test_no_role_is_without_it() -> None:
    app = App(context=json.loads((ROOT / "cdk.json").read_text())["context"])
    blueprint = changed_blueprint("local", security={"permissions_boundary": "team-boundary"})
    add_environment(app, blueprint)
    roles: dict[str, Any] = {}
    for stack in app.node.children:
        assert isinstance(stack, Stack)
        roles |= Template.from_stack(stack).find_resources("AWS::IAM::Role")
    assert (
        len(roles) > 10 and any("S3AutoDelete" in name for name in roles) and any("FlowLog" in name for name in roles)
    )
    unbound = [
        name
        for name, role in roles.items()
        if "team-boundary" not in str(role["Properties"].get("PermissionsBoundary"))
    ]
    assert unbound == []


def test_a_landing_zone_s_path_boundary_and_tags_are_met(tmp_path: Path) -> None:
    config = config_of(
        tmp_path,
        security={"permissions_boundary": "landing-zone/TeamBoundary", "role_path": "/teams/ml/"},
        tag_prefix="tunestack:",
        tags={"Environment": "Development", "CostCenter": "4711"},
    )
    app = app_in(tmp_path / "out")
    for settings in settings_of(config).values():
        add(app, settings)
    add_checks(app)
    assembly = Assembly.read(Path(app.synth().directory))
    roles = [item for stack in assembly.stacks for item in stack.of_kind("AWS::IAM::Role").values()]
    assert {role["Path"] for role in roles} == {"/teams/ml/"}
    assert all("policy/landing-zone/TeamBoundary" in json.dumps(role["PermissionsBoundary"]) for role in roles)
    tags = [{tag["Key"]: tag["Value"] for tag in role["Tags"]} for role in roles if "Tags" in role]
    assert tags and all(item["Environment"] == "Development" for item in tags)
    assert {item["tunestack:environment"] for item in tags} == {"dev", "staging", "prod"}
    # The jobs' tags are in the definitions.
    definitions = [
        json.dumps(item) for stack in assembly.stacks for item in stack.of_kind("AWS::SageMaker::Pipeline").values()
    ]
    assert definitions and all("tunestack:environment" in text for text in definitions)
